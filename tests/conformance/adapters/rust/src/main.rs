//! The adapter of the crate for client testers: reads commands, writes answers. The protocol is in
//! `docs/conformance.md`.

use std::env;
use std::error::Error;
use std::io::{self, BufRead as _, Write as _};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use portier_client::{AuthenticateOptions, CallbackParams, Client, Result};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use url::form_urlencoded;

const REDIRECT_URI: &str = "http://imaginary-client.test/fake-verify-route";

type Failure = Box<dyn Error + Send + Sync>;

/// The result of a command, or `None` if there is no such command.
type Answer = JoinHandle<Option<Result<String>>>;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("conformance: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Starts each command when it is read, and answers in the order of the commands.
async fn run() -> Result<(), Failure> {
    let client = client()?;
    let (started, answers) = unbounded_channel();
    let runtime = Handle::current();
    // Nothing can interrupt a read, so it must not be a task that the runtime waits for.
    thread::spawn(move || read(&client, &runtime, &started));
    write(answers).await
}

/// The client under test, with options from the environment.
fn client() -> Result<Client, Failure> {
    let broker = env::args().nth(1).ok_or("the broker's origin is missing")?;
    let setting = |name| env::var(format!("CONFORMANCE_{name}")).ok();
    let redirect_uri = setting("REDIRECT_URI").unwrap_or_else(|| REDIRECT_URI.to_owned());
    let mut builder = Client::builder(redirect_uri).broker(broker);
    if let Some(flow) = setting("FLOW") {
        builder = builder.flow(flow.parse()?);
    }
    if let Some(seconds) = setting("SESSION_TTL") {
        builder = builder.session_ttl(Duration::try_from_secs_f64(seconds.parse()?)?);
    }
    if let Some(names) = setting("ALGORITHMS") {
        let algorithms: Result<Vec<_>> = names.split(',').map(str::parse).collect();
        builder = builder.algorithms(algorithms?);
    }
    Ok(builder.build()?)
}

fn read(client: &Client, runtime: &Handle, started: &UnboundedSender<io::Result<Answer>>) {
    for line in io::stdin().lock().lines() {
        let answer = line.map(|line| runtime.spawn(answer(client.clone(), line)));
        if started.send(answer).is_err() {
            return;
        }
    }
}

async fn answer(client: Client, line: String) -> Option<Result<String>> {
    let fields: Vec<_> = line.split('\t').collect();
    Some(match fields.as_slice() {
        ["echo", text] => Ok((*text).to_owned()),
        ["mark", text] => {
            eprintln!("{text}");
            Ok((*text).to_owned())
        }
        ["auth", email] => client.authenticate(email).await,
        ["auth", email, state] => {
            let mut options = AuthenticateOptions::for_email(*email);
            options.state = Some((*state).to_owned());
            client.authenticate_with(options).await
        }
        ["verify", id_token] => client.verify(id_token).await,
        ["complete", form] => complete(&client, form).await,
        _ => return None,
    })
}

async fn complete(client: &Client, form: &str) -> Result<String> {
    let pairs = form_urlencoded::parse(form.as_bytes());
    let params = CallbackParams::from_pairs(pairs.map(|(name, value)| (name, value.into_owned())))?;
    let login = client.complete(params, None).await?;
    let state = login.state.unwrap_or_default();
    Ok([login.email, login.email_original, state].join("\t"))
}

async fn write(mut answers: UnboundedReceiver<io::Result<Answer>>) -> Result<(), Failure> {
    while let Some(answer) = answers.recv().await {
        let line = match answer?.await?.ok_or("no such command")? {
            Ok(value) => format!("ok\t{value}"),
            Err(error) => format!("err\t{}", description(&error)),
        };
        let mut output = io::stdout().lock();
        writeln!(output, "{line}")?;
        output.flush()?;
    }
    Ok(())
}

/// The error in one line, also if the broker's text has several.
fn description(error: &portier_client::Error) -> String {
    let mut text = format!("{}: {error}", error.code().as_str());
    if let Some(answer) = error.broker_answer() {
        let explanation = answer.description.as_deref().unwrap_or_default();
        text = format!("{text} error={} description={explanation}", answer.error);
    }
    text.replace(char::is_control, " ")
}
