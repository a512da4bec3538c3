//! The life of a server: open, listen, serve, drain, end.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use headwater_cli::outputs::OutputError;
use headwater_cli::{OutputFile, Outputs};
use headwater_wire::proto;
use headwater_wire::transport::{CONNECTION_WINDOW, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, MAX_FRAME, STREAM_WINDOW};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic_health::ServingStatus;

use crate::args::ServeArgs;
use crate::service::StorageService;
use crate::{connection, exporter, open};

/// Most HTTP/2 streams of one connection, fetches and small calls together.
const STREAMS_PER_CONNECTION: u32 = 128;
/// Most bytes of a request's headers.
const MAX_HEADER_BYTES: u32 = 16 * 1024;

/// Serves until `stop` is cancelled, then lets open streams finish for the grace period. Dropping the future ends at once.
///
/// # Errors
/// What keeps the server from starting: the dataset, a model, a device, an address.
pub(crate) async fn serve(args: ServeArgs, stop: CancellationToken) -> Result<()> {
    let mut outputs = Outputs::new();
    let mut port_file = |setting, file: Option<&Path>| file.map(|file| outputs.file(setting, file)).transpose();
    let metrics_port_file = port_file("--metrics-port-file", args.metrics_port_file.as_deref())?;
    let port_file = port_file("--port-file", args.port_file.as_deref())?;
    let shared = tokio::select! {
        shared = open::open(&args, &stop) => shared?,
        // Nothing is being served yet.
        () = stop.cancelled() => return Ok(()),
    };
    let listener = TcpListener::bind(args.listen).await.with_context(|| format!("--listen {}", args.listen))?;
    let address = listener.local_addr()?;
    let ended = CancellationToken::new();
    let _ends_the_exporter = ended.clone().drop_guard();
    if let Some(wanted) = args.metrics_listen {
        let listener = TcpListener::bind(wanted).await.with_context(|| format!("--metrics-listen {wanted}"))?;
        let address = listener.local_addr()?;
        tokio::spawn(exporter::export(listener, Arc::clone(&shared), ended));
        tracing::info!(%address, "metrics");
        write_port(metrics_port_file, address.port())?;
    }

    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<proto::storage_server::StorageServer<StorageService>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .context("gRPC reflection")?;
    let connections = connection::accept(listener, args.max_connections.get(), Arc::clone(&shared.metrics));
    let server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(MAX_FRAME)
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_service(health)
        .add_service(reflection)
        .add_service(StorageService(Arc::clone(&shared)).into_server())
        .serve_with_incoming_shutdown(connections, stop.clone().cancelled_owned());

    let catalog = &shared.pipeline.catalog;
    tracing::info!(
        %address,
        dataset = %shared.dataset,
        samples = catalog.len(),
        bytes = catalog.bytes_total().get(),
        classes = catalog.classes().len(),
        partition = %shared.part,
        digest = %catalog.digest().short(),
        listed = catalog.listing().samples,
        listing = %catalog.listing().digest.short(),
        cpu_workers = shared.pipeline.pool.workers(),
        "serving"
    );
    write_port(port_file, address.port())?;

    let mut server = std::pin::pin!(server);
    tokio::select! {
        result = &mut server => return result.context("the server ended"),
        () = stop.cancelled() => {}
    }
    reporter.set_service_status("", ServingStatus::NotServing).await;
    reporter.set_not_serving::<proto::storage_server::StorageServer<StorageService>>().await;
    tracing::info!(grace_seconds = args.grace.as_secs_f64(), streams = shared.metrics.streams.get(), "draining");
    match tokio::time::timeout(args.grace, server).await {
        Ok(result) => result.context("the server ended")?,
        Err(_) => tracing::warn!(streams = shared.metrics.streams.get(), "grace period over: open streams are cut off"),
    }
    Ok(())
}

/// Written whole or not at all: whoever waits for the file may read it the moment it is there.
fn write_port(file: Option<OutputFile>, port: u16) -> Result<(), OutputError> {
    file.map_or(Ok(()), |file| file.unsynced().write_all(format!("{port}\n").as_bytes()))
}
