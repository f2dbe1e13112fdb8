//! Chinese in simplified characters; "您".

use super::{ProblemId, Text};

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::StartAgain => "重新开始",
        Text::ConfirmTitle => "在此设备上登录？",
        Text::ConfirmHeading => "以 {email} 的身份在此设备上登录？",
        Text::ConfirmWarning => "此次登录是在另一个浏览器中发起的。请仅在由您本人发起时继续。",
        Text::ConfirmYes => "登录",
        Text::ConfirmNo => "不，取消",
        Text::PostTitle | Text::FragmentTitle => "正在登录",
        Text::PostHeading => "还差一步",
        Text::PostHint => "请点击按钮继续。",
        Text::PostButton => "继续",
        Text::FragmentNoScript => "请启用 JavaScript 以便登录。",
        Text::FragmentEmpty => "此网址仅用于完成登录。",
    }
}

pub(super) fn problem(problem: ProblemId) -> (&'static str, &'static str) {
    match problem {
        ProblemId::InvalidEmail => ("请检查邮箱地址", "这看起来不像电子邮箱地址，请重新输入。"),
        ProblemId::OtherBrowser => (
            "请回到发起登录的浏览器",
            "此次登录是在另一个浏览器中发起的，只能在那里完成。",
        ),
        ProblemId::Used => (
            "此次登录已经完成",
            "登录已在此浏览器或其他浏览器中完成。如果您在这里尚未登录，请重新开始。",
        ),
        ProblemId::Over => ("此次登录已失效", "登录已被使用或已过期，请重新开始。"),
        ProblemId::NotConfirmed => ("登录失败", "登录服务未确认您的邮箱地址，请重新开始。"),
        ProblemId::Cancelled => ("登录已取消", "没有任何更改，您可以重新开始。"),
        ProblemId::BrokerUnavailable => ("登录服务没有响应", "请稍后重试。"),
        ProblemId::NotPossible => ("暂时无法登录", "请稍后重试。"),
        ProblemId::ClocksDiffer => (
            "暂时无法登录",
            "本网站或登录服务的时钟有误。请告知本网站的管理员，并稍后重试。",
        ),
        ProblemId::Internal => ("出错了", "错误出在我们这边，与您无关。请稍后重试。"),
        ProblemId::OtherSite => ("登录未开始", "表单来自其他网站，请在此重新开始。"),
        ProblemId::NotAForm => ("登录失败", "请求不是表单。"),
        ProblemId::TooLarge => ("登录失败", "请求过大。"),
        ProblemId::PostOnly => ("这里没有可显示的内容", "此网址仅用于登录和退出登录。"),
        ProblemId::CookiesNeeded => (
            "需要 Cookie",
            "您的浏览器没有保存本网站的 Cookie，而登录需要它们。请允许 Cookie，然后重新开始。",
        ),
        ProblemId::NotSignedIn => ("请先登录", "此页面仅供已登录的用户访问。"),
        ProblemId::AccountUnknown => (
            "没有使用此地址的账号",
            "您的地址已确认，但本网站没有与之对应的账号。请使用其他地址，或联系本网站的管理员。",
        ),
        ProblemId::AccountRefused => (
            "此账号无法使用",
            "您的地址已确认，但本网站不允许您登录。请联系本网站的管理员。",
        ),
    }
}
