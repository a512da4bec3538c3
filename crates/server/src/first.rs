//! The first listing of every dataset: side by side, each served as soon as it is there.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Error, Result, bail};
use headwater_cli::exit;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::house::House;
use crate::open::{First, Opener, Unlisted};
use crate::reload;
use crate::served::Served;

/// Datasets on their way to be listed.
pub(crate) struct Opening {
    opened: Vec<Opened>,
    underway: JoinSet<Opened>,
    broken: Broken,
}

/// A dataset whose store was opened, or could not be.
struct Opened {
    served: Arc<Served>,
    opener: Arc<Opener>,
    unlisted: Result<Unlisted>,
}

/// What could not be opened: a reason for each dataset.
struct Broken {
    /// How many datasets there are, whole ones included.
    datasets: usize,
    broken: Vec<(Arc<Served>, Error)>,
}

/// How long the start waits for stores to open: a folder opens at once, or its disk hangs.
const PATIENCE: Duration = Duration::from_secs(2);

// === impl Opened ===

impl Opened {
    /// Lists the dataset for the first time.
    async fn list(self, house: Arc<House>) -> (Arc<Served>, Result<First>) {
        let Self { served, opener, unlisted } = self;
        let listed = match unlisted {
            Ok(unlisted) => opener.list(&served, unlisted, house.cache.as_ref()).await,
            Err(error) => Err(error),
        };
        (served, listed)
    }
}

// === impl Broken ===

impl Broken {
    /// Says that a dataset cannot be served.
    fn add(&mut self, served: Arc<Served>, error: Error) {
        let reason = exit::in_one_line(&error);
        // An only dataset ends the start, with the same words.
        if self.datasets > 1 {
            tracing::error!(dataset = %served.name, reason, "a dataset is not ready");
        }
        served.fail(reason);
        self.broken.push((served, error));
    }

    /// Checks that there is something to serve.
    ///
    /// # Errors
    /// All datasets are broken.
    fn check(&mut self) -> Result<()> {
        let Self { datasets, broken } = self;
        if broken.len() < *datasets {
            return Ok(());
        }
        match broken.pop() {
            Some((_, error)) if broken.is_empty() => Err(error),
            last => {
                // They failed in any order.
                let mut each: Vec<_> = broken.drain(..).chain(last).collect();
                each.sort_by(|(one, _), (other, _)| one.name.as_str().cmp(other.name.as_str()));
                // Each begins with its setting, which has the name.
                let each: Vec<_> = each.iter().map(|(_, error)| exit::in_one_line(error)).collect();
                bail!("none of {datasets} datasets can be served: {}", each.join("; "))
            }
        }
    }
}

/// Opens the stores side by side. It does not wait for long for a store that hangs: that one is listed once it opens.
///
/// # Errors
/// None can be opened.
pub(crate) async fn open(all: Vec<(Arc<Served>, Arc<Opener>)>) -> Result<Opening> {
    let broken = Broken { datasets: all.len(), broken: Vec::new() };
    let mut opening = Opening { opened: Vec::new(), underway: JoinSet::new(), broken };
    for (served, opener) in all {
        opening.underway.spawn(async move {
            let unlisted = opener.store(&served).await;
            Opened { served, opener, unlisted }
        });
    }
    let end = Instant::now() + PATIENCE;
    while let Ok(Some(opened)) = timeout_at(end, opening.underway.join_next()).await {
        opening.opened.push(opened?);
    }
    let (opened, broken) = (std::mem::take(&mut opening.opened), &mut opening.broken);
    for Opened { served, opener, unlisted } in opened {
        match unlisted {
            Ok(unlisted) => opening.opened.push(Opened { served, opener, unlisted: Ok(unlisted) }),
            Err(error) => broken.add(served, error),
        }
    }
    broken.check()?;
    Ok(opening)
}

/// Lists the datasets side by side. `first` hears when the first of them is served.
///
/// # Errors
/// None can be served.
pub(crate) async fn list(opening: Opening, house: &Arc<House>, first: impl AsyncFnOnce()) -> Result<()> {
    let Opening { opened, mut underway, mut broken } = opening;
    let (mut listings, mut first) = (JoinSet::new(), Some(first));
    opened.into_iter().for_each(|opened| drop(listings.spawn(opened.list(Arc::clone(house)))));
    loop {
        let (served, listed) = tokio::select! {
            Some(opened) = underway.join_next() => {
                listings.spawn(opened?.list(Arc::clone(house)));
                continue;
            }
            Some(listed) = listings.join_next() => listed?,
            else => return broken.check(),
        };
        match listed {
            Ok(listed) => {
                reload::begin(&served, listed, &house.stopping);
                say_serving(&served);
                if let Some(first) = first.take() {
                    first().await;
                }
            }
            Err(error) => broken.add(served, error),
        }
    }
}

/// Says in the log what is served.
fn say_serving(served: &Served) {
    let Some(now) = served.current() else { return };
    let catalog = now.catalog();
    tracing::info!(
        dataset = %served.name,
        samples = catalog.len(),
        bytes = catalog.bytes_total().get(),
        classes = catalog.classes().len(),
        partition = %served.part,
        digest = %catalog.digest().short(),
        listed = catalog.listing().samples,
        listing = %catalog.listing().digest.short(),
        "a dataset is served"
    );
}
