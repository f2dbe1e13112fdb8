//! German; "Sie".

use super::{ProblemId, Text};

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::StartAgain => "Neu beginnen",
        Text::ConfirmTitle => "Auf diesem Gerät anmelden?",
        Text::ConfirmHeading => "Auf diesem Gerät als {email} anmelden?",
        Text::ConfirmWarning => {
            "Diese Anmeldung wurde in einem anderen Browser begonnen. Fahren Sie nur fort, wenn Sie \
             sie selbst begonnen haben."
        }
        Text::ConfirmYes => "Anmelden",
        Text::ConfirmNo => "Nein, abbrechen",
        Text::PostTitle | Text::FragmentTitle => "Anmeldung läuft",
        Text::PostHeading => "Noch ein Schritt",
        Text::PostHint => "Bitte drücken Sie auf die Schaltfläche, um fortzufahren.",
        Text::PostButton => "Weiter",
        Text::FragmentNoScript => "Bitte schalten Sie JavaScript ein, um sich anzumelden.",
        Text::FragmentEmpty => "Diese Adresse dient nur dazu, eine Anmeldung abzuschließen.",
    }
}

pub(super) fn problem(problem: ProblemId) -> (&'static str, &'static str) {
    match problem {
        ProblemId::InvalidEmail => (
            "Bitte prüfen Sie die Adresse",
            "Das sieht nicht wie eine E-Mail-Adresse aus. Bitte geben Sie sie noch einmal ein.",
        ),
        ProblemId::OtherBrowser => (
            "Bitte fahren Sie dort fort, wo Sie begonnen haben",
            "Diese Anmeldung wurde in einem anderen Browser begonnen und kann nur dort \
             abgeschlossen werden.",
        ),
        ProblemId::Used => (
            "Diese Anmeldung wurde bereits abgeschlossen",
            "Sie wurde in diesem oder in einem anderen Browser abgeschlossen. Wenn Sie hier nicht \
             angemeldet sind, beginnen Sie bitte neu.",
        ),
        ProblemId::Over => (
            "Diese Anmeldung ist nicht mehr gültig",
            "Sie wurde bereits verwendet oder ist abgelaufen. Bitte beginnen Sie neu.",
        ),
        ProblemId::NotConfirmed => (
            "Anmeldung fehlgeschlagen",
            "Der Anmeldedienst hat Ihre Adresse nicht bestätigt. Bitte beginnen Sie neu.",
        ),
        ProblemId::Cancelled => (
            "Anmeldung abgebrochen",
            "Es hat sich nichts geändert. Sie können neu beginnen.",
        ),
        ProblemId::BrokerUnavailable => (
            "Der Anmeldedienst antwortet nicht",
            "Bitte versuchen Sie es gleich noch einmal.",
        ),
        ProblemId::NotPossible => (
            "Anmeldung derzeit nicht möglich",
            "Bitte versuchen Sie es gleich noch einmal.",
        ),
        ProblemId::ClocksDiffer => (
            "Anmeldung derzeit nicht möglich",
            "Die Uhr dieser Website oder des Anmeldedienstes geht falsch. Bitte informieren Sie die \
             Betreiber dieser Website und versuchen Sie es später noch einmal.",
        ),
        ProblemId::Internal => (
            "Etwas ist schiefgegangen",
            "Der Fehler liegt bei uns, nicht bei Ihnen. Bitte versuchen Sie es später noch einmal.",
        ),
        ProblemId::OtherSite => (
            "Die Anmeldung wurde nicht begonnen",
            "Das Formular kam von einer anderen Website. Bitte beginnen Sie hier neu.",
        ),
        ProblemId::NotAForm => ("Anmeldung fehlgeschlagen", "Die Anfrage war kein Formular."),
        ProblemId::TooLarge => ("Anmeldung fehlgeschlagen", "Die Anfrage war zu groß."),
        ProblemId::PostOnly => (
            "Hier gibt es nichts zu sehen",
            "Diese Adresse dient nur zum An- und Abmelden.",
        ),
        ProblemId::CookiesNeeded => (
            "Cookies werden benötigt",
            "Ihr Browser behält die Cookies dieser Website nicht, und ohne sie ist keine Anmeldung \
             möglich. Bitte erlauben Sie sie und beginnen Sie neu.",
        ),
        ProblemId::NotSignedIn => (
            "Bitte melden Sie sich an",
            "Diese Seite ist nur für angemeldete Personen zugänglich.",
        ),
        ProblemId::AccountUnknown => (
            "Kein Konto mit dieser Adresse",
            "Ihre Adresse ist bestätigt, aber diese Website hat kein Konto dafür. Verwenden Sie \
             eine andere Adresse, oder wenden Sie sich an die Betreiber dieser Website.",
        ),
        ProblemId::AccountRefused => (
            "Dieses Konto kann nicht verwendet werden",
            "Ihre Adresse ist bestätigt, aber diese Website lässt die Anmeldung nicht zu. Bitte \
             wenden Sie sich an die Betreiber dieser Website.",
        ),
    }
}
