//! A port through which tests in other languages control fault servers.
//!
//! The protocol is lines of JSON over TCP, with one answer per command. Each connection has one server, which
//! ends with the connection:
//!
//! | command | answer |
//! |---|---|
//! | `{"start": {}}` | `{"origin": "http://127.0.0.1:40001", "ca": null}` |
//! | `{"start": {"host": "127.0.0.1", "years": [2001, 4001], "protocols": []}}` | the same over TLS, and in `ca` the authority's certificate |
//! | `{"start": {"deaf": true}}` | the same for a port whose connections are neither accepted nor refused |
//! | `{"script": [["read", {"answer": {"status": 503}}], ["reset"]]}` | `{}` |
//! | `"report"` | `{"connections": 2, "requests": ["GET / HTTP/1.1\r\n…"]}` |
//!
//! The acts are those of [`Act`](super::Act): `"read"`, `"wait"`, `"cut"`, `"reset"`,
//! `{"send": "text"}`, `{"send_base64": "AAEC"}`,
//! `{"answer": {"status": 200, "headers": [["name", "value"]], "body": ""}}`,
//! `{"drip": {"text": "slow", "every_ms": 100}}`, `{"pause_ms": 500}`, `{"repeat": "x"}`.
//! An invalid command is answered with `{"error": "why"}`.

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::act::Told;
use super::{Act, Authority, DeafServer, FaultServer};
use crate::error::{Code, Error, Result};

/// Serves without end.
pub async fn serve(listener: TcpListener) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(async move {
            // The test may close the connection at any time.
            let _ = obey(stream).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Command {
    Start(Start),
    Script(Vec<Vec<Told>>),
    Report,
}

/// The server of a connection, which ends with it.
#[derive(Default)]
enum Server {
    #[default]
    None,
    Faulty(FaultServer),
    Deaf(#[expect(dead_code, reason = "it only has to stay")] DeafServer),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    #[serde(default)]
    deaf: bool,
    host: Option<String>,
    years: Option<(i32, i32)>,
    #[serde(default)]
    protocols: Vec<String>,
}

async fn obey(stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading).lines();
    let mut server = Server::None;
    while let Some(line) = lines.next_line().await? {
        let answer = match execute(&line, &mut server).await {
            Ok(answer) => answer,
            Err(error) => json!({ "error": error.to_string() }),
        };
        writing.write_all(format!("{answer}\n").as_bytes()).await?;
    }
    Ok(())
}

async fn execute(line: &str, server: &mut Server) -> Result<Value> {
    let command = serde_json::from_str(line).map_err(|cause| {
        Error::new(
            Code::InvalidOption,
            format_args!("no such command: {cause}"),
        )
    })?;
    Ok(match command {
        Command::Start(start) if start.deaf => {
            let started = DeafServer::start().await?;
            let origin = started.origin().to_owned();
            *server = Server::Deaf(started);
            json!({ "origin": origin, "ca": null })
        }
        Command::Start(start) => {
            let (started, ca) = start.run().await?;
            let origin = started.origin().to_owned();
            *server = Server::Faulty(started);
            json!({ "origin": origin, "ca": ca })
        }
        Command::Script(connections) => {
            let acts = |acts: Vec<Told>| acts.into_iter().map(Act::from_told).collect();
            let scripts: Vec<Vec<_>> = connections.into_iter().map(acts).collect::<Result<_>>()?;
            server.faulty()?.script(scripts);
            json!({})
        }
        Command::Report => {
            let server = server.faulty()?;
            json!({ "connections": server.connections(), "requests": server.requests() })
        }
    })
}

impl Server {
    fn faulty(&self) -> Result<&FaultServer> {
        match self {
            Self::Faulty(server) => Ok(server),
            Self::None | Self::Deaf(_) => Err(Error::new(
                Code::InvalidOption,
                "the server was not started",
            )),
        }
    }
}

impl Start {
    async fn run(self) -> Result<(FaultServer, Option<String>)> {
        let Some(host) = self.host else {
            return Ok((FaultServer::start().await?, None));
        };
        let authority = Authority::new()?;
        let certificate = match self.years {
            Some(years) => authority.certificate_between(&host, years)?,
            None => authority.certificate(&host)?,
        };
        let protocols: Vec<_> = self.protocols.iter().map(String::as_str).collect();
        let server = FaultServer::start_tls(&certificate.protocols(&protocols)).await?;
        Ok((server, Some(authority.pem().to_owned())))
    }
}
