//! Polish; second person singular, without forms that depend on the gender of the reader.

use super::{ProblemId, Text};

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::StartAgain => "Zacznij od nowa",
        Text::ConfirmTitle => "Zalogować się na tym urządzeniu?",
        Text::ConfirmHeading => "Zalogować się jako {email} na tym urządzeniu?",
        Text::ConfirmWarning => {
            "To logowanie rozpoczęto w innej przeglądarce. Kontynuuj tylko wtedy, gdy pochodzi ono \
             od Ciebie."
        }
        Text::ConfirmYes => "Zaloguj się",
        Text::ConfirmNo => "Nie, anuluj",
        Text::PostTitle | Text::FragmentTitle => "Trwa logowanie",
        Text::PostHeading => "Jeszcze jeden krok",
        Text::PostHint => "Naciśnij przycisk, aby kontynuować.",
        Text::PostButton => "Kontynuuj",
        Text::FragmentNoScript => "Włącz JavaScript, aby się zalogować.",
        Text::FragmentEmpty => "Ten adres służy tylko do zakończenia logowania.",
    }
}

pub(super) fn problem(problem: ProblemId) -> (&'static str, &'static str) {
    match problem {
        ProblemId::InvalidEmail => (
            "Sprawdź adres",
            "To nie wygląda na adres e-mail. Wpisz go ponownie.",
        ),
        ProblemId::OtherBrowser => (
            "Zakończ logowanie tam, gdzie je rozpoczęto",
            "To logowanie rozpoczęto w innej przeglądarce i tylko tam można je zakończyć.",
        ),
        ProblemId::Used => (
            "To logowanie już zakończono",
            "Zakończono je w tej lub w innej przeglądarce. Jeśli nadal musisz się tutaj zalogować, \
             zacznij od nowa.",
        ),
        ProblemId::Over => (
            "To logowanie straciło ważność",
            "Zostało już wykorzystane lub wygasło. Zacznij od nowa.",
        ),
        ProblemId::NotConfirmed => (
            "Logowanie nie powiodło się",
            "Usługa logowania nie potwierdziła Twojego adresu. Zacznij od nowa.",
        ),
        ProblemId::Cancelled => (
            "Anulowano logowanie",
            "Nic się nie zmieniło. Możesz zacząć od nowa.",
        ),
        ProblemId::BrokerUnavailable => (
            "Usługa logowania nie odpowiada",
            "Spróbuj ponownie za chwilę.",
        ),
        ProblemId::NotPossible => (
            "Logowanie jest teraz niemożliwe",
            "Spróbuj ponownie za chwilę.",
        ),
        ProblemId::ClocksDiffer => (
            "Logowanie jest teraz niemożliwe",
            "Zegar tej witryny lub usługi logowania wskazuje zły czas. Powiadom administratorów tej \
             witryny i spróbuj ponownie później.",
        ),
        ProblemId::Internal => (
            "Coś poszło nie tak",
            "Błąd leży po naszej stronie, nie po Twojej. Spróbuj ponownie później.",
        ),
        ProblemId::OtherSite => (
            "Logowanie nie rozpoczęło się",
            "Formularz pochodził z innej witryny. Zacznij od nowa tutaj.",
        ),
        ProblemId::NotAForm => (
            "Logowanie nie powiodło się",
            "Żądanie nie było formularzem.",
        ),
        ProblemId::TooLarge => ("Logowanie nie powiodło się", "Żądanie było zbyt duże."),
        ProblemId::PostOnly => (
            "Nie ma tu nic do obejrzenia",
            "Ten adres służy tylko do logowania i wylogowywania.",
        ),
        ProblemId::CookiesNeeded => (
            "Potrzebne są pliki cookie",
            "Twoja przeglądarka nie zapisuje plików cookie tej witryny, a są one potrzebne do \
             zalogowania. Zezwól na nie i zacznij od nowa.",
        ),
        ProblemId::NotSignedIn => (
            "Najpierw się zaloguj",
            "Ta strona jest dostępna tylko po zalogowaniu.",
        ),
        ProblemId::AccountUnknown => (
            "Brak konta z tym adresem",
            "Twój adres został potwierdzony, ale w tej witrynie nie ma dla niego konta. Użyj \
             innego adresu lub skontaktuj się z administratorami tej witryny.",
        ),
        ProblemId::AccountRefused => (
            "Nie można użyć tego konta",
            "Twój adres został potwierdzony, ale ta witryna nie pozwala Ci się zalogować. \
             Skontaktuj się z administratorami tej witryny.",
        ),
    }
}
