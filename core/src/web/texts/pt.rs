//! Portuguese, in words that are usual in Brazil and understood in Portugal; "você".

use super::{ProblemId, Text};

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::StartAgain => "Recomeçar",
        Text::ConfirmTitle => "Entrar neste dispositivo?",
        Text::ConfirmHeading => "Entrar como {email} neste dispositivo?",
        Text::ConfirmWarning => {
            "Este login foi iniciado em outro navegador. Continue apenas se foi você quem o iniciou."
        }
        Text::ConfirmYes => "Entrar",
        Text::ConfirmNo => "Não, cancelar",
        Text::PostTitle | Text::FragmentTitle => "Login em andamento",
        Text::PostHeading => "Falta um passo",
        Text::PostHint => "Pressione o botão para continuar.",
        Text::PostButton => "Continuar",
        Text::FragmentNoScript => "Ative o JavaScript para entrar.",
        Text::FragmentEmpty => "Este endereço serve apenas para concluir um login.",
    }
}

pub(super) fn problem(problem: ProblemId) -> (&'static str, &'static str) {
    match problem {
        ProblemId::InvalidEmail => (
            "Verifique o endereço",
            "Isto não parece ser um endereço de e-mail. Escreva-o novamente.",
        ),
        ProblemId::OtherBrowser => (
            "Conclua onde começou",
            "Este login foi iniciado em outro navegador e só pode ser concluído nele.",
        ),
        ProblemId::Used => (
            "Este login já foi concluído",
            "Ele foi concluído neste navegador ou em outro. Se você não entrou aqui, recomece.",
        ),
        ProblemId::Over => (
            "Este login não é mais válido",
            "Ele já foi usado ou expirou. Recomece.",
        ),
        ProblemId::NotConfirmed => (
            "O login falhou",
            "O serviço de login não confirmou o seu endereço. Recomece.",
        ),
        ProblemId::Cancelled => ("Login cancelado", "Nada mudou. Você pode recomeçar."),
        ProblemId::BrokerUnavailable => (
            "O serviço de login não responde",
            "Tente novamente daqui a pouco.",
        ),
        ProblemId::NotPossible => (
            "Não é possível entrar neste momento",
            "Tente novamente daqui a pouco.",
        ),
        ProblemId::ClocksDiffer => (
            "Não é possível entrar neste momento",
            "O relógio deste site ou do serviço de login está errado. Avise os responsáveis por \
             este site e tente novamente mais tarde.",
        ),
        ProblemId::Internal => (
            "Ocorreu um erro",
            "O erro é nosso, não seu. Tente novamente mais tarde.",
        ),
        ProblemId::OtherSite => (
            "O login não foi iniciado",
            "O formulário veio de outro site. Recomece aqui.",
        ),
        ProblemId::NotAForm => ("O login falhou", "A solicitação não era um formulário."),
        ProblemId::TooLarge => ("O login falhou", "A solicitação era grande demais."),
        ProblemId::PostOnly => (
            "Não há nada para ver aqui",
            "Este endereço serve apenas para entrar e sair.",
        ),
        ProblemId::CookiesNeeded => (
            "É preciso permitir cookies",
            "O seu navegador não guarda os cookies deste site, e eles são necessários para entrar. \
             Permita-os e recomece.",
        ),
        ProblemId::NotSignedIn => ("Faça login", "Esta página é apenas para quem fez login."),
        ProblemId::AccountUnknown => (
            "Nenhuma conta com este endereço",
            "O seu endereço foi confirmado, mas este site não tem uma conta para ele. Use outro \
             endereço ou contate os responsáveis por este site.",
        ),
        ProblemId::AccountRefused => (
            "Esta conta não pode ser usada",
            "O seu endereço foi confirmado, mas este site não permite o seu login. Contate os \
             responsáveis por este site.",
        ),
    }
}
