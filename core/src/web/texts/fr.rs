//! French; "vous".

use super::{ProblemId, Text};

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::StartAgain => "Recommencer",
        Text::ConfirmTitle => "Se connecter sur cet appareil\u{a0}?",
        Text::ConfirmHeading => "Se connecter en tant que {email} sur cet appareil\u{a0}?",
        Text::ConfirmWarning => {
            "Cette connexion a été lancée dans un autre navigateur. Continuez uniquement si c’est \
             vous qui l’avez lancée."
        }
        Text::ConfirmYes => "Se connecter",
        Text::ConfirmNo => "Non, annuler",
        Text::PostTitle | Text::FragmentTitle => "Connexion en cours",
        Text::PostHeading => "Encore une étape",
        Text::PostHint => "Appuyez sur le bouton pour continuer.",
        Text::PostButton => "Continuer",
        Text::FragmentNoScript => "Veuillez activer JavaScript pour vous connecter.",
        Text::FragmentEmpty => "Cette adresse sert uniquement à terminer une connexion.",
    }
}

pub(super) fn problem(problem: ProblemId) -> (&'static str, &'static str) {
    match problem {
        ProblemId::InvalidEmail => (
            "Vérifiez l’adresse",
            "Cela ne ressemble pas à une adresse e-mail. Veuillez la saisir à nouveau.",
        ),
        ProblemId::OtherBrowser => (
            "Terminez là où vous avez commencé",
            "Cette connexion a été lancée dans un autre navigateur et ne peut être terminée que \
             dans celui-là.",
        ),
        ProblemId::Used => (
            "Cette connexion a déjà été terminée",
            "Elle a été terminée dans ce navigateur ou dans un autre. Si vous n’êtes pas connecté ici, \
             veuillez recommencer.",
        ),
        ProblemId::Over => (
            "Cette connexion n’est plus valable",
            "Elle a déjà été utilisée ou a expiré. Veuillez recommencer.",
        ),
        ProblemId::NotConfirmed => (
            "La connexion a échoué",
            "Le service de connexion n’a pas confirmé votre adresse. Veuillez recommencer.",
        ),
        ProblemId::Cancelled => (
            "Connexion annulée",
            "Rien n’a changé. Vous pouvez recommencer.",
        ),
        ProblemId::BrokerUnavailable => (
            "Le service de connexion ne répond pas",
            "Veuillez réessayer dans un instant.",
        ),
        ProblemId::NotPossible => (
            "La connexion est impossible pour le moment",
            "Veuillez réessayer dans un instant.",
        ),
        ProblemId::ClocksDiffer => (
            "La connexion est impossible pour le moment",
            "L’horloge de ce site ou du service de connexion n’est pas à l’heure. Veuillez prévenir \
             les responsables de ce site et réessayer plus tard.",
        ),
        ProblemId::Internal => (
            "Une erreur s’est produite",
            "L’erreur vient de nous, pas de vous. Veuillez réessayer plus tard.",
        ),
        ProblemId::OtherSite => (
            "La connexion n’a pas été lancée",
            "Le formulaire provenait d’un autre site. Veuillez recommencer ici.",
        ),
        ProblemId::NotAForm => (
            "La connexion a échoué",
            "La requête n’était pas un formulaire.",
        ),
        ProblemId::TooLarge => (
            "La connexion a échoué",
            "La requête était trop volumineuse.",
        ),
        ProblemId::PostOnly => (
            "Rien à voir ici",
            "Cette adresse sert uniquement à se connecter et à se déconnecter.",
        ),
        ProblemId::CookiesNeeded => (
            "Les cookies sont nécessaires",
            "Votre navigateur ne conserve pas les cookies de ce site, et la connexion en a besoin. \
             Veuillez les autoriser et recommencer.",
        ),
        ProblemId::NotSignedIn => (
            "Veuillez vous connecter",
            "Cette page est réservée aux personnes connectées.",
        ),
        ProblemId::AccountUnknown => (
            "Aucun compte pour cette adresse",
            "Votre adresse est confirmée, mais ce site n’a pas de compte à cette adresse. \
             Utilisez-en une autre ou contactez les responsables de ce site.",
        ),
        ProblemId::AccountRefused => (
            "Ce compte ne peut pas être utilisé",
            "Votre adresse est confirmée, mais ce site n’autorise pas la connexion. Veuillez \
             contacter les responsables de ce site.",
        ),
    }
}
