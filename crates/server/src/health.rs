//! Health as grpc.health.v1 has it: of the server as a whole, whose name is empty, and of each service.

use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::calls::SERVICES;

/// Says whether the server serves.
pub(crate) struct Health(HealthReporter);

// === impl Health ===

impl Health {
    /// Says that the server does not serve yet.
    pub(crate) async fn starting(reporter: HealthReporter) -> Self {
        let health = Self(reporter);
        health.set(ServingStatus::NotServing).await;
        health
    }

    /// Says that the server serves from now on.
    pub(crate) async fn serving(&self) {
        self.set(ServingStatus::Serving).await;
    }

    /// Says that the server does not serve any more, and ends the watches of that: they would hold up the server's end.
    pub(crate) async fn end(mut self) {
        self.set(ServingStatus::NotServing).await;
        self.0.clear_service_status("").await;
        for service in SERVICES {
            self.0.clear_service_status(service).await;
        }
    }

    async fn set(&self, status: ServingStatus) {
        self.0.set_service_status("", status).await;
        for service in SERVICES {
            self.0.set_service_status(service, status).await;
        }
    }
}
