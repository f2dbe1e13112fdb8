//! Japanese; polite form.

use super::{ProblemId, Text};

pub(super) fn text(text: Text) -> &'static str {
    match text {
        Text::StartAgain => "最初からやり直す",
        Text::ConfirmTitle => "このデバイスでログインしますか？",
        Text::ConfirmHeading => "このデバイスで {email} としてログインしますか？",
        Text::ConfirmWarning => {
            "このログインは別のブラウザーで開始されました。ご自身で開始した場合にのみ続行してください。"
        }
        Text::ConfirmYes => "ログイン",
        Text::ConfirmNo => "いいえ、キャンセルします",
        Text::PostTitle | Text::FragmentTitle => "ログイン中",
        Text::PostHeading => "もう 1 つ操作が必要です",
        Text::PostHint => "ボタンを押して続行してください。",
        Text::PostButton => "続行",
        Text::FragmentNoScript => "ログインするには JavaScript を有効にしてください。",
        Text::FragmentEmpty => "この URL は、ログインを完了するためだけに使われます。",
    }
}

pub(super) fn problem(problem: ProblemId) -> (&'static str, &'static str) {
    match problem {
        ProblemId::InvalidEmail => (
            "メールアドレスをご確認ください",
            "メールアドレスの形式ではないようです。もう一度入力してください。",
        ),
        ProblemId::OtherBrowser => (
            "開始したブラウザーで続行してください",
            "このログインは別のブラウザーで開始されたため、そのブラウザーでのみ完了できます。",
        ),
        ProblemId::Used => (
            "このログインはすでに完了しています",
            "このブラウザーまたは別のブラウザーで完了しました。ここでログインできていない\
             場合は、最初からやり直してください。",
        ),
        ProblemId::Over => (
            "このログインは無効になりました",
            "すでに使用されたか、有効期限が切れています。最初からやり直してください。",
        ),
        ProblemId::NotConfirmed => (
            "ログインできませんでした",
            "ログインサービスでメールアドレスが確認されませんでした。最初からやり直してください。",
        ),
        ProblemId::Cancelled => (
            "ログインをキャンセルしました",
            "何も変更されていません。最初からやり直すことができます。",
        ),
        ProblemId::BrokerUnavailable => (
            "ログインサービスが応答しません",
            "しばらくしてからもう一度お試しください。",
        ),
        ProblemId::NotPossible => (
            "現在ログインできません",
            "しばらくしてからもう一度お試しください。",
        ),
        ProblemId::ClocksDiffer => (
            "現在ログインできません",
            "このサイトまたはログインサービスの時計が正しくありません。サイトの管理者に連絡し、後で\
             もう一度お試しください。",
        ),
        ProblemId::Internal => (
            "問題が発生しました",
            "エラーの原因はお客様ではなく、このサイトにあります。後でもう一度お試しください。",
        ),
        ProblemId::OtherSite => (
            "ログインは開始されませんでした",
            "フォームが別のサイトから送信されました。このサイトで最初からやり直してください。",
        ),
        ProblemId::NotAForm => (
            "ログインできませんでした",
            "リクエストがフォームではありませんでした。",
        ),
        ProblemId::TooLarge => ("ログインできませんでした", "リクエストが大きすぎました。"),
        ProblemId::PostOnly => (
            "ここには表示するものがありません",
            "この URL は、ログインとログアウトのためだけに使われます。",
        ),
        ProblemId::CookiesNeeded => (
            "Cookie が必要です",
            "ログインに必要なこのサイトの Cookie が、ブラウザーに保存されていません。Cookie を許可して、\
             最初からやり直してください。",
        ),
        ProblemId::NotSignedIn => (
            "ログインしてください",
            "このページを表示するには、ログインが必要です。",
        ),
        ProblemId::AccountUnknown => (
            "このアドレスのアカウントはありません",
            "メールアドレスは確認できましたが、このサイトには該当するアカウントがありません。別のアドレスを使うか、サイトの管理者にお問い合わせください。",
        ),
        ProblemId::AccountRefused => (
            "このアカウントは利用できません",
            "メールアドレスは確認できましたが、このサイトへのログインは許可されていません。サイトの管理者にお問い合わせください。",
        ),
    }
}
