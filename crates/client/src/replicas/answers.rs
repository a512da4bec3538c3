//! What a server answers that is asked for the dataset, once and within a limit.

use std::time::Duration;

use headwater_types::{DatasetName, Digest};

use crate::connection::Server;
use crate::describe;
use crate::description::Description;
use crate::trouble::Trouble;

/// The part of a dataset that all servers of a partition have.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) dataset: DatasetName,
    pub(crate) digest: Digest,
}

// === impl Asked ===

impl Asked {
    /// Whether the server says anything at all in this time: also that it has another generation.
    pub(crate) async fn is_there(&self, server: &Server, limit: Duration) -> bool {
        let answer = describe::ask(server, (&self.dataset, Some(self.digest)), limit).await;
        !matches!(answer, Err(Trouble::Passing(_) | Trouble::Silent(_)))
    }

    /// What the server has of this part.
    ///
    /// # Errors
    /// It does not answer in this time, or has no such part.
    pub(crate) async fn of(&self, server: &Server, limit: Duration) -> Result<Description, Trouble> {
        let answer = describe::ask(server, (&self.dataset, Some(self.digest)), limit).await?;
        let broke = |problem: String| Trouble::Lasting(server.protocol(problem));
        let description = Description::read(&self.dataset, answer).map_err(broke)?;
        match description.digest == self.digest {
            true => Ok(description),
            false => Err(Trouble::Lasting(describe::other_generation(server))),
        }
    }
}
