//! Handshakes between our two sides: who is trusted, what is said where nobody is, and rotations.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that panics has said what it found")]

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headwater_access::{AccessError, ClientTls, ClientTlsFiles, ServerTls, ServerTlsFiles, TlsFault};
use headwater_testdata::{Authority, Issued};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

/// The files of a server and a client in a folder.
struct Ends {
    folder: tempfile::TempDir,
    server: ServerTlsFiles,
    client: ClientTlsFiles,
}

// === impl Ends ===

impl Ends {
    fn new(trusted: &Authority, issued: &Issued) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ca = trusted.write(folder.path(), "ca").unwrap();
        let (cert, key) = issued.write(folder.path(), "server").unwrap();
        let server = ServerTlsFiles { cert, key, client_ca: None };
        Self { folder, server, client: ClientTlsFiles { ca, own: None } }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn open(&self) -> (ServerTls, ClientTls) {
        let server = ServerTls::open(self.server.clone(), b"h2").unwrap();
        (server, ClientTls::open(self.client.clone()).unwrap())
    }
}

/// A word each way; what the client says of it where it does not come through.
async fn talk(server: &ServerTls, client: &ClientTls, host: &str) -> Result<(), TlsFault> {
    let (near, far) = duplex(1 << 14);
    let serving = async {
        let mut stream = server.accept(far).await?;
        let mut word = [0; 4];
        stream.read_exact(&mut word).await?;
        stream.write_all(&word).await?;
        stream.shutdown().await
    };
    let calling = async {
        let mut stream = client.connect(host, near).await?;
        stream.write_all(b"word").await?;
        let mut word = [0; 4];
        stream.read_exact(&mut word).await?;
        assert_eq!(&word, b"word");
        io::Result::Ok(())
    };
    let (_, called) = tokio::join!(serving, calling);
    called.map_err(|error| TlsFault::behind(&error).unwrap_or_else(|| panic!("{error:?}")))
}

#[tokio::test]
async fn who_was_issued_by_the_trusted_authority_for_that_name_is_trusted() {
    let authority = Authority::new("ours").unwrap();
    let ends = Ends::new(&authority, &authority.issue(&["node1", "127.0.0.1", "::1"]).unwrap());
    let (server, client) = ends.open();
    for host in ["node1", "127.0.0.1", "[::1]"] {
        talk(&server, &client, host).await.unwrap();
    }
    let fault = talk(&server, &client, "node2").await.unwrap_err();
    let TlsFault::WrongName { expected, presented } = &fault else { panic!("{fault}") };
    assert!(expected == "node2" && presented.contains("node1"), "{fault}");
    assert!(fault.to_string().contains("--servers"));
}

#[tokio::test]
async fn others_are_refused_with_the_setting_that_mends_it() {
    let (ours, others) = (Authority::new("ours").unwrap(), Authority::new("others").unwrap());
    let names = ["node1"];
    let expired = Ends::new(&ours, &ours.issue_expired(&names).unwrap());
    let strange = Ends::new(&ours, &others.issue(&names).unwrap());
    for (ends, fault, words) in
        [(expired, TlsFault::Expired, "--tls-cert"), (strange, TlsFault::UnknownIssuer, "--tls-ca")]
    {
        let (server, client) = ends.open();
        assert_eq!(talk(&server, &client, "node1").await, Err(fault.clone()));
        assert!(fault.to_string().contains(words), "{fault}");
    }
    let (mut near, far) = duplex(1 << 14);
    let (_, client) = Ends::new(&ours, &ours.issue(&names).unwrap()).open();
    let plain = async {
        near.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        drop(near);
    };
    let (error, ()) = tokio::join!(async { client.connect("node1", far).await.err().unwrap() }, plain);
    assert_eq!(TlsFault::behind(&error), Some(TlsFault::NotTls), "{error:?}");
}

#[tokio::test]
async fn where_clients_need_a_certificate_they_are_told_so_and_taken_with_one() {
    let (ours, others) = (Authority::new("ours").unwrap(), Authority::new("others").unwrap());
    let mut ends = Ends::new(&ours, &ours.issue(&["node1"]).unwrap());
    ends.server.client_ca = Some(ours.write(ends.path(), "client-ca").unwrap());
    let (server, client) = ends.open();
    let fault = talk(&server, &client, "node1").await.unwrap_err();
    assert_eq!(fault, TlsFault::CertificateRequired);
    assert!(fault.to_string().contains("--tls-key"));
    ends.client.own = Some(others.issue(&["client"]).unwrap().write(ends.path(), "client").unwrap());
    let (_, stranger) = ends.open();
    let fault = talk(&server, &stranger, "node1").await.unwrap_err();
    assert!(matches!(fault, TlsFault::CertificateRefused(_)), "{fault:?}");
    ours.issue(&["client"]).unwrap().write(ends.path(), "client").unwrap();
    talk(&server, &stranger, "node1").await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotations_are_seen_by_the_next_connection_and_a_half_one_by_none() {
    let ours = Authority::new("ours").unwrap();
    let ends = Ends::new(&ours, &ours.issue(&["node1"]).unwrap());
    let (server, client) = ends.open();
    // A certificate without its key: what was there before serves on.
    let next = ours.issue(&["node1", "node2"]).unwrap();
    fs::write(&ends.server.cert, &next.cert).unwrap();
    talk(&server, &client, "node1").await.unwrap();
    assert!(talk(&server, &client, "node2").await.is_err());
    fs::write(&ends.server.key, &next.key).unwrap();
    talk(&server, &client, "node2").await.unwrap();

    // Cert, then key, then the authority of both, again and again: a connection fails at most while they differ.
    let done = Arc::new(AtomicBool::new(false));
    let (turning, path) = (Arc::clone(&done), ends.path().to_owned());
    let rotating = tokio::task::spawn_blocking(move || {
        for _ in 0..40 {
            let authority = Authority::new("next").unwrap();
            authority.issue(&["node1"]).unwrap().write(&path, "server").unwrap();
            authority.write(&path, "ca").unwrap();
        }
        turning.store(true, Ordering::SeqCst);
    });
    let mut talked = 0;
    while !done.load(Ordering::SeqCst) {
        talked += u32::from(talk(&server, &client, "node1").await.is_ok());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    rotating.await.unwrap();
    assert!(talked > 0);
    talk(&server, &client, "node1").await.unwrap();
}

#[test]
fn files_that_cannot_be_used_name_their_setting_and_show_nothing_of_a_key() {
    let ours = Authority::new("ours").unwrap();
    let ends = Ends::new(&ours, &ours.issue(&["node1"]).unwrap());
    let opened = |files: &ServerTlsFiles| ServerTls::open(files.clone(), b"h2").unwrap_err();
    let ServerTlsFiles { cert, key, .. } = ends.server.clone();
    let other = ours.issue(&["node1"]).unwrap().write(ends.path(), "other").unwrap();
    let unpaired = opened(&ServerTlsFiles { key: other.1, ..ends.server.clone() });
    assert!(matches!(unpaired, AccessError::Unpaired { .. }), "{unpaired}");
    let swapped = opened(&ServerTlsFiles { cert: key.clone(), key: cert, client_ca: None });
    assert!(swapped.to_string().starts_with("--tls-cert "), "{swapped}");
    let missing = opened(&ServerTlsFiles { key: ends.path().join("none"), ..ends.server.clone() });
    assert!(missing.to_string().starts_with("--tls-key "), "{missing}");
    let damaged = fs::read_to_string(&key).unwrap().replace("MI", "M!");
    let body = damaged.lines().nth(1).unwrap().to_owned();
    fs::write(&key, damaged).unwrap();
    let broken = opened(&ends.server).to_string();
    assert!(broken.starts_with("--tls-key ") && !broken.contains(&body), "{broken}");
    fs::write(&ends.client.ca, "no certificate").unwrap();
    let empty = ClientTls::open(ends.client.clone()).unwrap_err().to_string();
    assert!(empty.starts_with("--tls-ca ") && empty.contains("no certificate in PEM"), "{empty}");
}
