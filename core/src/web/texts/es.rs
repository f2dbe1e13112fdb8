//! Spanish; "tú".

use super::{ProblemId, Text};

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::StartAgain => "Empezar de nuevo",
        Text::ConfirmTitle => "¿Iniciar sesión en este dispositivo?",
        Text::ConfirmHeading => "¿Iniciar sesión como {email} en este dispositivo?",
        Text::ConfirmWarning => {
            "Este inicio de sesión comenzó en otro navegador. Continúa solo si lo empezaste tú."
        }
        Text::ConfirmYes => "Iniciar sesión",
        Text::ConfirmNo => "No, cancelar",
        Text::PostTitle | Text::FragmentTitle => "Iniciando sesión",
        Text::PostHeading => "Un paso más",
        Text::PostHint => "Pulsa el botón para continuar.",
        Text::PostButton => "Continuar",
        Text::FragmentNoScript => "Activa JavaScript para iniciar sesión.",
        Text::FragmentEmpty => "Esta dirección solo sirve para completar un inicio de sesión.",
    }
}

pub(super) fn problem(problem: ProblemId) -> (&'static str, &'static str) {
    match problem {
        ProblemId::InvalidEmail => (
            "Comprueba la dirección",
            "Esto no parece una dirección de correo electrónico. Vuelve a escribirla.",
        ),
        ProblemId::OtherBrowser => (
            "Termina donde empezaste",
            "Este inicio de sesión comenzó en otro navegador y solo se puede completar allí.",
        ),
        ProblemId::Used => (
            "Este inicio de sesión ya se ha completado",
            "Se completó en este navegador o en otro. Si aquí no has iniciado sesión, empieza de \
             nuevo.",
        ),
        ProblemId::Over => (
            "Este inicio de sesión ya no es válido",
            "Ya se ha usado o ha caducado. Empieza de nuevo.",
        ),
        ProblemId::NotConfirmed => (
            "No se ha podido iniciar sesión",
            "El servicio de inicio de sesión no ha confirmado tu dirección. Empieza de nuevo.",
        ),
        ProblemId::Cancelled => (
            "Inicio de sesión cancelado",
            "No ha cambiado nada. Puedes empezar de nuevo.",
        ),
        ProblemId::BrokerUnavailable => (
            "El servicio de inicio de sesión no responde",
            "Inténtalo de nuevo en un momento.",
        ),
        ProblemId::NotPossible => (
            "Ahora no es posible iniciar sesión",
            "Inténtalo de nuevo en un momento.",
        ),
        ProblemId::ClocksDiffer => (
            "Ahora no es posible iniciar sesión",
            "El reloj de este sitio o del servicio de inicio de sesión no marca la hora correcta. \
             Avisa a los responsables de este sitio e inténtalo de nuevo más tarde.",
        ),
        ProblemId::Internal => (
            "Algo ha salido mal",
            "El error es nuestro, no tuyo. Inténtalo de nuevo más tarde.",
        ),
        ProblemId::OtherSite => (
            "El inicio de sesión no ha empezado",
            "El formulario venía de otro sitio. Empieza de nuevo aquí.",
        ),
        ProblemId::NotAForm => (
            "No se ha podido iniciar sesión",
            "La solicitud no era un formulario.",
        ),
        ProblemId::TooLarge => (
            "No se ha podido iniciar sesión",
            "La solicitud era demasiado grande.",
        ),
        ProblemId::PostOnly => (
            "Aquí no hay nada que ver",
            "Esta dirección solo sirve para iniciar y cerrar sesión.",
        ),
        ProblemId::CookiesNeeded => (
            "Se necesitan cookies",
            "Tu navegador no guarda las cookies de este sitio, y hacen falta para iniciar sesión. \
             Permítelas y empieza de nuevo.",
        ),
        ProblemId::NotSignedIn => (
            "Inicia sesión",
            "Esta página es solo para personas que han iniciado sesión.",
        ),
        ProblemId::AccountUnknown => (
            "No hay ninguna cuenta con esta dirección",
            "Tu dirección está confirmada, pero en este sitio no hay ninguna cuenta con ella. Usa \
             otra dirección o contacta con los responsables de este sitio.",
        ),
        ProblemId::AccountRefused => (
            "Esta cuenta no se puede usar",
            "Tu dirección está confirmada, pero este sitio no te permite iniciar sesión. Contacta \
             con los responsables de este sitio.",
        ),
    }
}
