//! One dataset that takes photos.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use headwater_features::Classifier;
use headwater_image::sniff;
use headwater_pipeline::Job;
use headwater_store::{Deposit, DepositError, Published, Staged};
use headwater_types::write_fault::{InWords, WriteFault};
use headwater_types::{ByteCount, FailureKind, SampleFailure, SampleKey};
use headwater_wire::ingest::{Ingest, Ingested, IngestedLabels, WantedLabels};
use headwater_wire::status::{Invalid, Refusal};
use tokio::sync::{Notify, OnceCell, OwnedSemaphorePermit, Semaphore};

use super::arrivals::{Arrivals, Reserved};
use super::busy::Busy;
use super::examined::Examined;
use super::keys::keys;
use super::known::Known;
use super::labellers::{get, labellers};
use crate::args::IngestSpec;
use crate::generation::Generation;
use crate::house::House;
use crate::open::Opener;
use crate::served::Served;

/// A dataset that takes photos.
pub(crate) struct Intake {
    pub(super) spec: IngestSpec,
    pub(super) served: Arc<Served>,
    opener: Arc<Opener>,
    deposit: OnceCell<Deposit>,
    pub(super) arrivals: Arrivals,
    known: Known,
    busy: Busy,
    /// Memory for the bytes of photos that are coming, in KiB: all intakes share it.
    bodies: Arc<Semaphore>,
    /// Notified when a photo was stored.
    pub(super) arrived: Notify,
}

/// A photo that has come, and is not stored yet.
pub(crate) struct Arrived {
    pub(crate) ingest: Ingest,
    pub(crate) bytes: Bytes,
    pub(crate) labellers: Labellers,
    /// Memory in which its bytes lie.
    pub(crate) _memory: OwnedSemaphorePermit,
}

/// Who labels a photo for its answer, and how many classes each names; none where nobody waits for labels.
pub(crate) type Labellers = Vec<(Arc<Classifier>, u32)>;

// === impl Intake ===

impl Intake {
    pub(super) fn new(
        spec: IngestSpec,
        (served, opener): (&Arc<Served>, &Arc<Opener>),
        bodies: &Arc<Semaphore>,
    ) -> Self {
        Self {
            spec,
            served: Arc::clone(served),
            opener: Arc::clone(opener),
            deposit: OnceCell::new(),
            arrivals: Arrivals::default(),
            known: Known::default(),
            busy: Busy::default(),
            bodies: Arc::clone(bodies),
            arrived: Notify::new(),
        }
    }

    /// Waits for memory for the bytes of a photo.
    ///
    /// # Errors
    /// A photo that is larger than the server reads.
    pub(crate) async fn memory(&self, length: ByteCount) -> Result<OwnedSemaphorePermit, SampleFailure> {
        let most = self.opener.max_object();
        if length > most {
            let message = format!("its {length} are more than the {most} of --max-object-bytes");
            return Err(SampleFailure::new(FailureKind::LimitExceeded, message));
        }
        let kibibytes = u32::try_from(length.get().div_ceil(1024)).unwrap_or(u32::MAX);
        let closed = |_| SampleFailure::new(FailureKind::Unavailable, "the server is stopping");
        Arc::clone(&self.bodies).acquire_many_owned(kibibytes).await.map_err(closed)
    }

    /// What can be known of a photo while its bytes are still coming: that its class is one, and who labels it.
    ///
    /// # Errors
    /// What is wrong with the request, an index that cannot be read.
    pub(crate) async fn expect(
        &self,
        house: &Arc<House>,
        generation: &Arc<Generation>,
        ingest: &Ingest,
    ) -> Result<Labellers, Refusal> {
        self.check_label(generation, ingest)?;
        self.labellers(house, generation, ingest.labels.as_ref()).await
    }

    /// Takes a photo in that was expected.
    ///
    /// # Errors
    /// What keeps the server from storing any photo.
    pub(crate) async fn take(
        &self,
        generation: &Arc<Generation>,
        (arrived, job): (Arrived, Job),
    ) -> Result<Ingested, Refusal> {
        let Arrived { ingest, bytes, labellers, _memory } = arrived;
        let deposit = self.deposit(generation).await?;
        let _turn = self.busy.turn(ingest.digest).await;
        let format = match sniff(&bytes) {
            Ok(format) => format,
            Err(error) => {
                return Ok(Ingested::Refused(SampleFailure::new(FailureKind::UnsupportedFormat, error.to_string())));
            }
        };
        let keys =
            keys((&ingest.name, ingest.label.as_deref()), generation.catalog().scope().files, (format, ingest.digest));
        let Some(first) = keys.first().cloned() else {
            return Err(Invalid::new(format!("the name {:?} makes no key", ingest.name)).into());
        };
        if let Some(key) = self.find(deposit, generation, (&ingest, &bytes)).await? {
            let examined = Examined::new(&generation.pipeline, job, (key.clone(), None), (bytes, ingest.digest));
            return Ok(match label(&mut examined.map_err(not_stored)?, &labellers).await {
                Ok(labels) => Ingested::Taken { key, duplicate: true, labels },
                Err(failure) => Ingested::Refused(failure),
            });
        }
        let _reserved = self.reserve(generation, ingest.length)?;
        let now = SystemTime::now();
        let of = (first, deposit.foretold(ingest.length, now));
        let mut examined =
            Examined::new(&generation.pipeline, job, of, (bytes.clone(), ingest.digest)).map_err(not_stored)?;
        let examining = async {
            match labellers.is_empty() {
                true => examined.decode().await.map(|()| Vec::new()),
                false => label(&mut examined, &labellers).await,
            }
        };
        let (staged, labels) = tokio::join!(deposit.stage(bytes.clone(), now), examining);
        let staged = staged.map_err(|error| self.unstored(error))?;
        let labels = match labels {
            Ok(labels) => labels,
            Err(failure) if failure.is_retryable() => return Err(not_stored(failure.message)),
            Err(failure) => return Ok(Ingested::Refused(failure)),
        };
        let (key, is_new) = self.publish(deposit, generation, (staged, keys), &bytes).await?;
        if is_new {
            self.arrivals.add(key.clone(), ingest.digest, ingest.length);
            self.arrived.notify_one();
        }
        Ok(Ingested::Taken { key, duplicate: !is_new, labels })
    }

    /// The dataset, opened to put photos into it.
    pub(super) async fn deposit(&self, generation: &Generation) -> Result<&Deposit, Refusal> {
        let read_only = |reason: String| Refusal::ReadOnly { dataset: self.served.name.to_string(), reason };
        let source = generation.pipeline.store.source();
        if !matches!(source, "folder" | "s3") {
            let reason = format!("it is of kind {source}, and photos are put into a folder, or below an s3:// prefix");
            return Err(read_only(reason));
        }
        let open = async { self.opener.deposit(&self.served).await };
        self.deposit.get_or_try_init(|| open).await.map_err(|error| not_stored(format!("{error:#}")))
    }

    /// Checks that a photo's class is one.
    fn check_label(&self, generation: &Generation, ingest: &Ingest) -> Result<(), Invalid> {
        let Some(label) = &ingest.label else { return Ok(()) };
        let dataset = &self.served.name;
        if let Some(why) = self.opener.no_class_folders() {
            return Err(Invalid::new(format!("{dataset} has its labels of {why}: leave --label out")));
        }
        let classes = generation.catalog().classes();
        if classes.contains(label) {
            return Ok(());
        }
        if self.opener.has_pinned_classes() {
            return Err(Invalid::new(format!("{label:?} is none of the classes= of {dataset}: add it there first")));
        }
        match ingest.new_class {
            true => Ok(()),
            false => Err(Invalid::new(format!(
                "{dataset} has no class {label:?}: {}; give --new-class to begin one, which gives classes behind it in \
                 their order other numbers",
                crate::labels::likely(classes, label)
            ))),
        }
    }

    async fn labellers(
        &self,
        house: &Arc<House>,
        generation: &Arc<Generation>,
        wanted: Option<&WantedLabels>,
    ) -> Result<Labellers, Refusal> {
        let Some(wanted) = wanted else { return Ok(Vec::new()) };
        let (house, generation, spec) = (Arc::clone(house), Arc::clone(generation), self.spec.clone());
        let (model, top_k) = (wanted.model.clone(), wanted.top_k);
        let find = move || match model {
            Some(name) => Ok(vec![get(&house, &name)?]),
            None => Ok(labellers(&house, &generation, &spec)?.into_iter().map(|(labeller, _)| labeller).collect()),
        };
        let found: Result<Vec<_>, Refusal> = tokio::task::spawn_blocking(find).await.map_err(not_stored)?;
        let found: Vec<_> = found?.into_iter().map(|labeller| (labeller, top_k)).collect();
        match found.is_empty() {
            true => Err(Refusal::NoLabels {
                message: format!(
                    "nobody labels photos of {0} here: name one (--model), or start the server with --ingest \
                     {0},label-by=MODEL; without --wait the photo is taken in all the same",
                    self.served.name
                ),
            }),
            false => Ok(found),
        }
    }

    /// The key under which the bytes are already, among what came meanwhile and what is listed.
    async fn find(
        &self,
        deposit: &Deposit,
        generation: &Arc<Generation>,
        (ingest, bytes): (&Ingest, &Bytes),
    ) -> Result<Option<SampleKey>, Refusal> {
        if let Some(key) = self.arrivals.find(ingest.digest)
            && deposit.find(&key).await.map_err(|error| self.unstored(error))?.is_some()
        {
            return Ok(Some(key));
        }
        // The one that is served by now, and asked after the arrivals: what these have forgotten, it has listed.
        let now = self.served.current().unwrap_or_else(|| Arc::clone(generation));
        self.known.find(&now, bytes).await.map_err(|failure| not_stored(failure.message))
    }

    /// Puts a photo under the first of these keys that is free; or finds it there already, where a call whose answer
    /// was lost has put it.
    async fn publish(
        &self,
        deposit: &Deposit,
        generation: &Generation,
        (mut staged, keys): (Staged, Vec<SampleKey>),
        bytes: &Bytes,
    ) -> Result<(SampleKey, bool), Refusal> {
        for key in keys {
            staged = match deposit.publish(staged, &key).await.map_err(|error| self.unstored(error))? {
                Published::New(_) => return Ok((key, true)),
                Published::Taken(staged) => staged,
            };
            let there = deposit.find(&key).await.map_err(|error| self.unstored(error))?;
            if let Some(version) = there {
                let store = &generation.pipeline.store;
                let same = deposit.holds(store, (&key, version), bytes).await;
                if same.map_err(|error| self.unstored(error))? {
                    return Ok((key, false));
                }
            }
        }
        Err(not_stored("every name that it could have is another photo's"))
    }

    fn reserve(&self, generation: &Generation, length: ByteCount) -> Result<Reserved<'_>, Refusal> {
        let quota = self.spec.quota.unwrap_or(ByteCount::new(u64::MAX));
        let now = self.served.current();
        let listed = now.as_deref().unwrap_or(generation).catalog().bytes_total();
        self.arrivals.reserve(length, (listed, quota)).map_err(|taken| Refusal::Quota {
            dataset: self.served.name.to_string(),
            reason: format!("it has {taken} of its quota of {quota}, see --ingest"),
        })
    }

    /// What it means that the store did not take a photo.
    fn unstored(&self, error: DepositError) -> Refusal {
        let dataset = self.served.name.to_string();
        match &error {
            DepositError::Folder(source) => match WriteFault::of(source) {
                fault if fault.is_full() => Refusal::Quota { dataset, reason: InWords(source).to_string() },
                WriteFault::ReadOnly | WriteFault::Forbidden => {
                    Refusal::ReadOnly { dataset, reason: InWords(source).to_string() }
                }
                _ => not_stored(error),
            },
            _ => not_stored(error),
        }
    }
}

fn not_stored(error: impl std::fmt::Display) -> Refusal {
    Refusal::NotStored { reason: error.to_string() }
}

async fn label(
    examined: &mut Examined,
    labellers: &[(Arc<Classifier>, u32)],
) -> Result<Vec<IngestedLabels>, SampleFailure> {
    let mut labels = Vec::new();
    for (labeller, top_k) in labellers {
        labels.push(examined.label(labeller, *top_k).await?);
    }
    Ok(labels)
}
