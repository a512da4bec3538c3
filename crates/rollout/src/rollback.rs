//! All servers back to the version before.

use futures::future::join_all;
use headwater_client::model_calls::{Activate, Activation};
use headwater_client::{
    ClientError, ClientOptions, DiscoveryError, ServerAddress, check_named, model_standing, roll_back_model,
};
use headwater_types::{Digest, ModelName};

/// What came of one server.
#[derive(Debug)]
pub struct RolledBack {
    /// The server.
    pub server: ServerAddress,
    /// The version that served before the rollback.
    pub from: Option<Digest>,
    /// What serves now, or why nothing changed.
    pub activation: Result<Activation, ClientError>,
}

/// Why no server is told anything.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// A server cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A server has no version before.
    #[error("server {server} has no version of {name} before the one that serves: nothing was rolled back")]
    NothingBefore {
        /// The server.
        server: ServerAddress,
        /// The model.
        name: ModelName,
    },
    /// The servers would go back to different versions.
    #[error(
        "server {first} would go back to version {one} of {name}, and server {second} to {other}: nothing was rolled \
         back; name servers that go back to the same one, or push the version that all are to have"
    )]
    Differ {
        /// A server.
        first: ServerAddress,
        /// Its version before, shortened.
        one: String,
        /// Another server.
        second: ServerAddress,
        /// Its version before, shortened.
        other: String,
        /// The model.
        name: ModelName,
    },
}

/// Has the version before serve again on all servers. No model travels.
///
/// # Errors
/// A server that does not answer, or servers that would not go back to one version. Then none is told anything.
pub async fn roll_back(
    name: &ModelName,
    servers: &[ServerAddress],
    options: &ClientOptions,
) -> Result<Vec<RolledBack>, RollbackError> {
    check_named(servers)?;
    let asked = join_all((0..).zip(servers).map(|(task, server)| model_standing(server, name, options, task)));
    let standings = asked.await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut to: Option<(&ServerAddress, Digest)> = None;
    for (server, standing) in servers.iter().zip(&standings) {
        let nothing = || RollbackError::NothingBefore { server: server.clone(), name: name.clone() };
        let before = standing.before.ok_or_else(nothing)?;
        if let Some((first, other)) = to.filter(|(_, other)| *other != before) {
            let (first, second, name) = (first.clone(), server.clone(), name.clone());
            return Err(RollbackError::Differ { first, one: other.short(), second, other: before.short(), name });
        }
        to = Some((server, before));
    }
    let Some((_, digest)) = to else { return Err(ClientError::from(DiscoveryError::None).into()) };
    let revision = standings.iter().map(|standing| standing.revision).max().unwrap_or_default() + 1;
    let activate = Activate { name: name.clone(), digest, revision };
    let told = (0..).zip(servers.iter().zip(standings)).map(|(task, (server, standing))| {
        let activate = &activate;
        async move {
            let activation = roll_back_model(server, activate, options, task).await;
            RolledBack { server: server.clone(), from: standing.active, activation }
        }
    });
    Ok(join_all(told).await)
}
