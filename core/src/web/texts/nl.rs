//! Dutch; "je".

use super::{ProblemId, Text};

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::StartAgain => "Opnieuw beginnen",
        Text::ConfirmTitle => "Inloggen op dit apparaat?",
        Text::ConfirmHeading => "Inloggen als {email} op dit apparaat?",
        Text::ConfirmWarning => {
            "Deze inlogpoging is in een andere browser gestart. Ga alleen verder als je die zelf \
             hebt gestart."
        }
        Text::ConfirmYes => "Inloggen",
        Text::ConfirmNo => "Nee, annuleren",
        Text::PostTitle | Text::FragmentTitle => "Bezig met inloggen",
        Text::PostHeading => "Nog één stap",
        Text::PostHint => "Druk op de knop om verder te gaan.",
        Text::PostButton => "Verder",
        Text::FragmentNoScript => "Zet JavaScript aan om in te loggen.",
        Text::FragmentEmpty => "Dit adres is alleen bedoeld om het inloggen af te ronden.",
    }
}

pub(super) fn problem(problem: ProblemId) -> (&'static str, &'static str) {
    match problem {
        ProblemId::InvalidEmail => (
            "Controleer het adres",
            "Dit lijkt geen e-mailadres te zijn. Typ het opnieuw.",
        ),
        ProblemId::OtherBrowser => (
            "Ga verder waar je bent begonnen",
            "Deze inlogpoging is in een andere browser gestart en kan alleen daar worden afgerond.",
        ),
        ProblemId::Used => (
            "Deze inlogpoging is al afgerond",
            "Dat is in deze of in een andere browser gebeurd. Ben je hier niet ingelogd, begin dan \
             opnieuw.",
        ),
        ProblemId::Over => (
            "Deze inlogpoging is niet meer geldig",
            "Die is al gebruikt of is verlopen. Begin opnieuw.",
        ),
        ProblemId::NotConfirmed => (
            "Inloggen is niet gelukt",
            "De inlogdienst heeft je adres niet bevestigd. Begin opnieuw.",
        ),
        ProblemId::Cancelled => (
            "Inloggen geannuleerd",
            "Er is niets veranderd. Je kunt opnieuw beginnen.",
        ),
        ProblemId::BrokerUnavailable => (
            "De inlogdienst reageert niet",
            "Probeer het zo dadelijk opnieuw.",
        ),
        ProblemId::NotPossible => (
            "Inloggen is nu niet mogelijk",
            "Probeer het zo dadelijk opnieuw.",
        ),
        ProblemId::ClocksDiffer => (
            "Inloggen is nu niet mogelijk",
            "De klok van deze site of van de inlogdienst staat verkeerd. Laat het de beheerders van \
             deze site weten en probeer het later opnieuw.",
        ),
        ProblemId::Internal => (
            "Er is iets misgegaan",
            "De fout ligt bij ons, niet bij jou. Probeer het later opnieuw.",
        ),
        ProblemId::OtherSite => (
            "Inloggen is niet gestart",
            "Het formulier kwam van een andere site. Begin hier opnieuw.",
        ),
        ProblemId::NotAForm => ("Inloggen is niet gelukt", "Het verzoek was geen formulier."),
        ProblemId::TooLarge => ("Inloggen is niet gelukt", "Het verzoek was te groot."),
        ProblemId::PostOnly => (
            "Hier is niets te zien",
            "Dit adres is alleen bedoeld om in en uit te loggen.",
        ),
        ProblemId::CookiesNeeded => (
            "Cookies zijn nodig",
            "Je browser bewaart de cookies van deze site niet, en die zijn nodig om in te loggen. \
             Sta ze toe en begin opnieuw.",
        ),
        ProblemId::NotSignedIn => (
            "Log eerst in",
            "Deze pagina is alleen toegankelijk als je bent ingelogd.",
        ),
        ProblemId::AccountUnknown => (
            "Geen account met dit adres",
            "Je adres is bevestigd, maar op deze site bestaat er geen account voor. Gebruik een \
             ander adres of neem contact op met de beheerders van deze site.",
        ),
        ProblemId::AccountRefused => (
            "Dit account kan niet worden gebruikt",
            "Je adres is bevestigd, maar je mag op deze site niet inloggen. Neem contact op met \
             de beheerders van deze site.",
        ),
    }
}
