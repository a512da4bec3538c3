//! The life of a server: check, listen, open, serve, drain, end.
//!
//! It listens before it opens dataset and models, which may take minutes: calls are then refused with what it is doing, and
//! a client waits.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use headwater_cli::outputs::OutputError;
use headwater_cli::{OutputFile, Outputs};
use headwater_wire::proto;
use headwater_wire::transport::{CONNECTION_WINDOW, KEEPALIVE_INTERVAL, MAX_FRAME, STREAM_WINDOW};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::args::ServeArgs;
use crate::calls::{Desk, SERVICES, add_services};
use crate::exporter::{self, Told};
use crate::idle::with_calls_counted;
use crate::life::{Life, Phase};
use crate::listen::Listeners;
use crate::metrics::Metrics;
use crate::shared::Shared;
use crate::supervisor::Supervisor;
use crate::{admission, open};

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
    let checked = open::check(&args)?;
    let (life, metrics) = (Arc::new(Life::new(stop.clone())), Arc::new(Metrics::new()));
    let supervisor = Arc::new(Supervisor::from_environment());
    let ended = CancellationToken::new();
    let _ends_the_others = ended.clone().drop_guard();
    let listeners = Listeners::bind("--listen", &args.listen).await?;
    let address = listeners.address()?;
    tracing::info!(%address, only_this_machine = listeners.is_local(), "listening");
    if let Some(wanted) = &args.metrics_listen {
        let listeners = Listeners::bind("--metrics-listen", wanted).await?;
        let of_metrics = listeners.address()?;
        let told = Told { life: Arc::clone(&life), metrics: Arc::clone(&metrics), serving: address.to_string() };
        tokio::spawn(exporter::export(listeners, told, ended.clone()));
        tracing::info!(address = %of_metrics, "metrics");
        write_port(metrics_port_file, of_metrics.port())?;
    }
    tokio::spawn(Arc::clone(&supervisor).follow(Arc::clone(&life), ended));

    let (mut reporter, health) = tonic_health::server::health_reporter();
    tell(&reporter, ServingStatus::NotServing).await;
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let desk = Desk { dataset: args.name.clone(), life: Arc::clone(&life), metrics: Arc::clone(&metrics) };
    let limits = admission::Limits {
        connections: args.max_connections,
        handshake: args.handshake_timeout,
        idle: args.idle_timeout,
    };
    let connections = admission::admit(listeners, limits, Arc::clone(&metrics), stop.clone());
    let mut routes = Routes::builder();
    routes
        .add_service(health)
        .add_service(reflection().build_v1().context("gRPC reflection")?)
        // What grpcio and grpcurl ask for.
        .add_service(reflection().build_v1alpha().context("gRPC reflection")?);
    add_services(desk, &mut routes);
    let server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(MAX_FRAME)
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(args.keepalive_timeout))
        // For the request to come; answers may take as long as they take.
        .timeout(args.idle_timeout)
        .add_routes(with_calls_counted(routes.routes()))
        .serve_with_incoming_shutdown(connections, stop.clone().cancelled_owned());
    let mut server = std::pin::pin!(server);

    let shared = tokio::select! {
        // First: a server that is asked to stop while it starts has nothing to drain.
        biased;
        () = stop.cancelled() => return Ok(()),
        shared = open::open(&args, checked, &life, &metrics) => shared?,
        result = &mut server => return result.context("the server ended"),
    };
    let watching = watch(Arc::clone(&shared), args.unread_limit);
    let _watching = AbortOnDropHandle::new(tokio::spawn(watching));
    life.serve(Arc::clone(&shared));
    tell(&reporter, ServingStatus::Serving).await;
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
        cpu_workers = shared.resources.workers(),
        "serving"
    );
    supervisor.ready(&format!("serving {} samples of {} on {address}", catalog.len(), shared.dataset));
    write_port(port_file, address.port())?;

    tokio::select! {
        // First: without a connection the server ends in the same moment.
        biased;
        () = stop.cancelled() => {}
        result = &mut server => return result.context("the server ended"),
    }
    supervisor.stopping(&Phase::Draining.to_string(), args.grace);
    tell(&reporter, ServingStatus::NotServing).await;
    // Whoever watches has heard it; a watch that stayed open would hold up the end.
    reporter.clear_service_status("").await;
    for service in SERVICES {
        reporter.clear_service_status(service).await;
    }
    drain(server, args.grace, &shared).await
}

/// Keeps streams that nobody reads from being in the way of others.
async fn watch(shared: Arc<Shared>, unread_limit: Duration) {
    let (streams, metrics) = (&shared.streams, &shared.metrics);
    tokio::join!(streams.relieve(&shared.resources), streams.end_unread(unread_limit, metrics));
}

async fn tell(reporter: &HealthReporter, status: ServingStatus) {
    reporter.set_service_status("", status).await;
    for service in SERVICES {
        reporter.set_service_status(service, status).await;
    }
}

/// Waits for the connections to end, each after its open streams.
async fn drain<E>(server: impl Future<Output = Result<(), E>>, grace: Duration, shared: &Shared) -> Result<()>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let count = || (shared.open_streams(), shared.metrics.connections.get());
    let (streams, connections) = count();
    tracing::info!(grace_seconds = grace.as_secs_f64(), streams, connections, "draining");
    match tokio::time::timeout(grace, server).await {
        Ok(result) => result.context("the server ended")?,
        Err(_) => match count() {
            // Of peers that do not answer: stopped, or gone without a word.
            (0, connections) => tracing::info!(connections, "grace period over: closing connections without streams"),
            (streams, _) => tracing::warn!(streams, "grace period over: open streams are cut off"),
        },
    }
    Ok(())
}

/// Written whole or not at all: whoever waits for the file may read it the moment it is there.
fn write_port(file: Option<OutputFile>, port: u16) -> Result<(), OutputError> {
    file.map_or(Ok(()), |file| file.unsynced().write_all(format!("{port}\n").as_bytes()))
}
