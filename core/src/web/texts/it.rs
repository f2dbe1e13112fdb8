//! Italian; "tu".

use super::{ProblemId, Text};

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::StartAgain => "Ricomincia",
        Text::ConfirmTitle => "Accedere su questo dispositivo?",
        Text::ConfirmHeading => "Accedere come {email} su questo dispositivo?",
        Text::ConfirmWarning => {
            "Questo accesso è stato avviato in un altro browser. Continua solo se l’hai avviato tu."
        }
        Text::ConfirmYes => "Accedi",
        Text::ConfirmNo => "No, annulla",
        Text::PostTitle | Text::FragmentTitle => "Accesso in corso",
        Text::PostHeading => "Ancora un passaggio",
        Text::PostHint => "Premi il pulsante per continuare.",
        Text::PostButton => "Continua",
        Text::FragmentNoScript => "Attiva JavaScript per accedere.",
        Text::FragmentEmpty => "Questo indirizzo serve solo a completare un accesso.",
    }
}

pub(super) fn problem(problem: ProblemId) -> (&'static str, &'static str) {
    match problem {
        ProblemId::InvalidEmail => (
            "Controlla l’indirizzo",
            "Questo non sembra un indirizzo e-mail. Inseriscilo di nuovo.",
        ),
        ProblemId::OtherBrowser => (
            "Completa l’accesso dove l’hai avviato",
            "Questo accesso è stato avviato in un altro browser e può essere completato solo lì.",
        ),
        ProblemId::Used => (
            "Questo accesso è già stato completato",
            "È stato completato in questo browser o in un altro. Se qui non hai effettuato l’accesso, \
             ricomincia.",
        ),
        ProblemId::Over => (
            "Questo accesso non è più valido",
            "È già stato usato oppure è scaduto. Ricomincia.",
        ),
        ProblemId::NotConfirmed => (
            "Accesso non riuscito",
            "Il servizio di accesso non ha confermato il tuo indirizzo. Ricomincia.",
        ),
        ProblemId::Cancelled => (
            "Accesso annullato",
            "Non è cambiato nulla. Puoi ricominciare.",
        ),
        ProblemId::BrokerUnavailable => {
            ("Il servizio di accesso non risponde", "Riprova tra poco.")
        }
        ProblemId::NotPossible => ("Al momento non è possibile accedere", "Riprova tra poco."),
        ProblemId::ClocksDiffer => (
            "Al momento non è possibile accedere",
            "L’orologio di questo sito o del servizio di accesso non è esatto. Avvisa chi gestisce \
             questo sito e riprova più tardi.",
        ),
        ProblemId::Internal => (
            "Qualcosa è andato storto",
            "L’errore è nostro, non tuo. Riprova più tardi.",
        ),
        ProblemId::OtherSite => (
            "Accesso non avviato",
            "Il modulo proveniva da un altro sito. Ricomincia da qui.",
        ),
        ProblemId::NotAForm => ("Accesso non riuscito", "La richiesta non era un modulo."),
        ProblemId::TooLarge => ("Accesso non riuscito", "La richiesta era troppo grande."),
        ProblemId::PostOnly => (
            "Qui non c’è nulla da vedere",
            "Questo indirizzo serve solo per accedere e per uscire.",
        ),
        ProblemId::CookiesNeeded => (
            "I cookie sono necessari",
            "Il tuo browser non conserva i cookie di questo sito, che servono per accedere. \
             Consentili e ricomincia.",
        ),
        ProblemId::NotSignedIn => (
            "Effettua l’accesso",
            "Questa pagina è riservata a chi ha effettuato l’accesso.",
        ),
        ProblemId::AccountUnknown => (
            "Nessun account con questo indirizzo",
            "Il tuo indirizzo è confermato, ma su questo sito non esiste un account associato. \
             Usa un altro indirizzo o contatta chi gestisce questo sito.",
        ),
        ProblemId::AccountRefused => (
            "Questo account non può essere usato",
            "Il tuo indirizzo è confermato, ma questo sito non ti consente di accedere. Contatta \
             chi gestisce questo sito.",
        ),
    }
}
