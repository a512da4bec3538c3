//! The gRPC server: HTTP/2 as it is set up, health, reflection, and the calls.

use std::sync::Arc;

use anyhow::{Context, Result};
use headwater_wire::proto;
use headwater_wire::transport::{CONNECTION_WINDOW, KEEPALIVE_INTERVAL, MAX_FRAME, STREAM_WINDOW};
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic_health::pb::health_server::{Health, HealthServer};

use crate::args::ServeArgs;
use crate::calls::{Desk, add_services};
use crate::gate::{Gate, with_grants};
use crate::idle::with_calls_counted;

/// Most HTTP/2 streams of one connection, fetches and small calls together.
const STREAMS_PER_CONNECTION: u32 = 128;
/// Most bytes of a request's headers.
const MAX_HEADER_BYTES: u32 = 16 * 1024;

/// The server with all its services.
///
/// # Errors
/// A protocol that reflection cannot show.
pub(crate) fn router(
    args: &ServeArgs,
    health: HealthServer<impl Health>,
    desk: Desk,
    gate: Arc<Gate>,
) -> Result<Router> {
    let metrics = Arc::clone(&desk.metrics);
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let mut routes = Routes::builder();
    routes
        .add_service(health)
        .add_service(reflection().build_v1().context("gRPC reflection")?)
        // grpcio and grpcurl ask for the older version.
        .add_service(reflection().build_v1alpha().context("gRPC reflection")?);
    add_services(desk, &mut routes);
    Ok(Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(MAX_FRAME)
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(args.keepalive_timeout))
        // The limit is for a request to come whole; answers may take as long as they take.
        .timeout(args.idle_timeout)
        .add_routes(with_calls_counted(with_grants(routes.routes(), gate, metrics))))
}
