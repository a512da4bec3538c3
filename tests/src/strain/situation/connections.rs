//! Who connects and then says nothing, or too little, and who comes when the house is full.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::http::get;
use crate::server::ServerOptions;
use crate::strain::cut::Cut;
use crate::strain::figure::Figure;
use crate::strain::honest::Epoch;
use crate::strain::photos::Photos;
use crate::strain::readers::{Manner, Readers};
use crate::strain::stage::Stage;
use crate::strain::subject::{DEFAULT_MEMORY, Subject, nap};

/// The number of connections that the server takes by default.
const CONNECTIONS: usize = 256;
/// The server's patience with newcomers here, in seconds: in full, longer than an epoch takes.
const HANDSHAKE: [&str; 2] = ["8", "2"];
/// When all of them are gone.
const GONE: Duration = Duration::from_secs(20);
/// How soon a probe must have its answer.
const PROBED: f64 = 2.0;
/// HTTP/2's first words.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const LITTLE: usize = 24;

/// What the silent ones say before they are silent.
const FIRST_WORDS: [(&str, &[u8]); 3] =
    [("nothing", b""), ("half a preface", PREFACE.split_at(10).0), ("a preface and no more", PREFACE)];

/// 256 connections that say nothing, half a preface, or a preface; the same at the metrics port.
pub(super) fn silent(stage: &Stage) -> Result<Vec<Figure>> {
    let photos = Photos::middle(LITTLE);
    let mut figures = Vec::new();
    let handshake = stage.either(HANDSHAKE[0], HANDSHAKE[1]);
    for (said, words) in stage.either(&FIRST_WORDS[..], &FIRST_WORDS[1..]) {
        stage.progress(&format!("{CONNECTIONS} connections that say {said}"));
        let options = ServerOptions::new(&stage.photos(&photos)?).arg("--no-cache");
        let subject = stage.start(options.variable("HEADWATER_HANDSHAKE_TIMEOUT", handshake), DEFAULT_MEMORY)?;
        let silent = open(&subject.address(), words)?;
        figures.push(epoch(stage, &subject, &photos, &format!("an epoch beside {CONNECTIONS} that say {said}"))?);
        let started = Instant::now();
        let mut open = silent.len();
        while open > 0 && started.elapsed() < GONE {
            nap(Duration::from_millis(100));
            open = silent.iter().filter(|socket| is_open(socket)).count();
        }
        figures.push(Figure::at_most(format!("of these open after {} s", GONE.as_secs()), open as f64, "", 0.0));
        let ended = ended(&subject)?;
        figures.push(Figure::holds("counted", ended, &format!(">= {CONNECTIONS}"), ended >= CONNECTIONS as f64));
    }
    figures.push(silent_at_the_metrics_port(stage, &photos)?);
    Ok(figures)
}

fn silent_at_the_metrics_port(stage: &Stage, photos: &Photos) -> Result<Figure> {
    let subject = stage.serve(photos)?;
    let metrics = subject.server.metrics_address().unwrap_or_default();
    // More than any process may have open files by default.
    let silent = open(&metrics, b"GET / HTTP/1.1\r\n")?;
    let started = Instant::now();
    let lives = get(&metrics, "/livez").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"));
    let seconds = started.elapsed().as_secs_f64();
    let what = format!("/livez beside {} at the metrics port that say half a request", silent.len());
    Ok(Figure::holds(what, format!("{lives} after {seconds:.2} s"), "true, in 2 s", lives && seconds < PROBED))
}

/// More clients than places: whoever has none is told the limit, and is served once there is room.
pub(super) fn full_house(stage: &Stage) -> Result<Vec<Figure>> {
    let photos = Photos::middle(LITTLE);
    let options = ServerOptions::new(&stage.photos(&photos)?).arg("--no-cache").arg("--max-connections").arg("4");
    let subject = stage.start(options, DEFAULT_MEMORY)?;
    let guests = Manner { connections: 4, ..Manner::stopped(Cut::DECODED) };
    let guests = Readers::open(stage.runtime(), &subject.address(), photos.count, &guests)?;
    let refusal = match Readers::open(stage.runtime(), &subject.address(), photos.count, &Manner::stopped(Cut::DECODED))
    {
        Ok(late) => late.refused().first().map_or_else(
            || "served".to_owned(),
            |status| {
                let reason = status.metadata().get(headwater_wire::status::REFUSAL);
                format!(
                    "{:?} {:?}: {}",
                    status.code(),
                    reason.and_then(|r| r.to_str().ok()).unwrap_or(""),
                    status.message()
                )
            },
        ),
        Err(error) => format!("{error:#}"),
    };
    let typed = refusal.starts_with("ResourceExhausted \"full\"") && refusal.contains("--max-connections");
    let mut figures = vec![Figure::holds(
        "the fifth of four is told",
        refusal,
        "ResourceExhausted, \"full\", --max-connections",
        typed,
    )];
    let counted = subject.server.metric("headwater_connections_ended_total{reason=\"full\"}")?.unwrap_or(0.0);
    figures.push(Figure::holds("counted", counted, ">= 1", counted >= 1.0));
    let logged = subject.log()?.lines().any(|line| line.contains("WARN") && line.contains("max-connections"));
    figures.push(Figure::holds("logged", logged, "true", logged));
    // The guests leave while the honest client waits.
    let leaving = std::thread::spawn(move || {
        nap(Duration::from_secs(3));
        drop(guests);
    });
    figures.push(epoch(stage, &subject, &photos, "an epoch, once there is room")?);
    let _ = leaving.join();
    Ok(figures)
}

fn epoch(stage: &Stage, subject: &Subject, photos: &Photos, what: &str) -> Result<Figure> {
    let epoch = Epoch::read(&subject.address(), Cut::CROPPED, photos.count, stage.scratch())?;
    let found = if epoch.complete { format!("{:.2} s", epoch.seconds) } else { epoch.last_words() };
    Ok(Figure::holds(what, found, "complete", epoch.complete))
}

/// Connections that say these words and no more.
fn open(address: &str, words: &[u8]) -> Result<Vec<TcpStream>> {
    let connect = |_| {
        let mut socket = TcpStream::connect(address)?;
        // One that was closed meanwhile has been dealt with.
        let _ = socket.write_all(words);
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    (0..CONNECTIONS).map(connect).collect()
}

/// Whether the other side has not closed it; what it said is passed over.
fn is_open(socket: &TcpStream) -> bool {
    let mut buffer = [0; 512];
    loop {
        match std::io::Read::read(&mut &*socket, &mut buffer) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

/// Connections that the server ended, whatever for.
fn ended(subject: &Subject) -> Result<f64> {
    let metrics = subject.server.metrics()?;
    let values = metrics.lines().filter(|line| line.starts_with("headwater_connections_ended_total{"));
    Ok(values.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).fold(0.0, |all, one| all + one))
}
