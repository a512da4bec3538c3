//! A storage server that does as it is told: answers truly, lies, stalls, refuses, or has its plug pulled.
//!
//! It speaks the protocol through the same generated code as the real one, on loopback, in a runtime of its own:
//! killing that is `kill -9` as a client sees it.

use std::collections::BTreeSet;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use headwater_client::ServerAddress;
use headwater_image::{Header, IndexedJpeg, Parts, Payload, Scratch, advance, read_header};
use headwater_types::differences::push_index;
use headwater_types::digest::Digester;
use headwater_types::listing::ListingDigester;
use headwater_types::recipe::Orientation;
use headwater_types::{
    ByteCount, ClassId, Cut, DType, Differences, Digest, Draws, FailureKind, FieldValue, Fields, Format, ImageLimits,
    Listing, Partition, Position, Recipe, SampleFailure, SampleIndex, SampleKey, Shape, Size,
};
use headwater_wire::announce::Announcement;
use headwater_wire::cached::{CachedQuery, to_bits};
use headwater_wire::field::fields_to;
use headwater_wire::low::LowQuery;
use headwater_wire::proto::datasets_server::{Datasets, DatasetsServer};
use headwater_wire::proto::jobs_server::{Jobs, JobsServer};
use headwater_wire::proto::losses_server::{Losses, LossesServer};
use headwater_wire::proto::samples_server::{Samples, SamplesServer};
use headwater_wire::replaced::ReplacedReport;
use headwater_wire::report::{LossReport, Which};
use headwater_wire::status::Refusal;
use headwater_wire::{
    Asked, Compare, DatasetState, Delivered, Delivery, Fetch, List, ListedDataset, PhotoFacts, ServedDataset, Survey,
    Surveyed, differences, proto,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;
use tonic::transport::server::Connected;
use tonic::{Request, Response, Status};

/// What a fake server has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holding {
    pub(crate) photos: Vec<Photo>,
    pub(crate) models: Vec<proto::ModelDescription>,
    /// The bytes that the server says that its photos take; `None`: the bytes that they take.
    pub(crate) stored_bytes: Option<u64>,
    /// The part that the server serves, and the photos that it has found; `None`: all that it has, which no other
    /// server has.
    pub(crate) part_of: Option<(Partition, Vec<Photo>)>,
    /// Whether the server is of an older version, which does not know epochs of single samples, nor places in a call.
    pub(crate) old: bool,
    /// Whether an encoded photo is followed by the epoch as of which it was asked for.
    pub(crate) echoes: bool,
    /// The limits of photos that the server announces; `None`: none, as older servers do.
    pub(crate) limits: Option<ImageLimits>,
    /// The fields of each photo: see [`Photo::field`].
    pub(crate) fields: Fields,
    /// Earlier generations, whose differences to this one the server knows.
    pub(crate) earlier: Vec<Holding>,
    /// What the server says of its datasets besides that these photos are served.
    pub(crate) others: Vec<ServedDataset>,
    /// What the server answers to announcements, one after the other; `None`: it is too old to know the call.
    pub(crate) announced: Option<Vec<proto::Announced>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Photo {
    pub(crate) key: String,
    pub(crate) bytes: Vec<u8>,
}

// === impl Photo ===

impl Photo {
    /// The value of a field: the key as `caption`, the bytes as `size`, and nothing of any other name.
    fn field(&self, name: &str) -> FieldValue {
        match name {
            "caption" => FieldValue::Text(self.key.clone()),
            "size" => FieldValue::Integer(self.bytes.len() as i64),
            _ => FieldValue::Absent,
        }
    }
}

/// One move of a server during a call.
#[derive(Debug)]
pub(crate) enum Step {
    Send(Vec<proto::Sample>),
    Fail(Status),
    /// The connection is cut.
    Cut,
    /// Silence, while the connection lives.
    Hang,
    /// After this time, the word that samples wait for memory.
    Busy(Duration),
}

/// What a server does about a call: its number, counted from 0, and the request.
pub(crate) type Script = Arc<dyn Fn(&Holding, usize, &Fetch) -> Result<Steps, Status> + Send + Sync>;
pub(crate) type Steps = Box<dyn Iterator<Item = Step> + Send>;

/// A running server, or the place of one that was killed.
pub(crate) struct Fake {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

struct Shared {
    state: Mutex<(Holding, Script)>,
    calls: AtomicUsize,
    open: AtomicUsize,
    sent: AtomicUsize,
    most_open: AtomicUsize,
    asked: Mutex<Vec<Vec<u64>>>,
    reports: Mutex<Vec<LossReport>>,
    announcements: Mutex<Vec<Announcement>>,
    /// Samples in whose places others are given.
    replaced: Mutex<Vec<u64>>,
    jobs: Mutex<Vec<Option<String>>>,
    instance: [u8; 16],
    /// Whether the server takes connections and calls, and answers none.
    is_frozen: AtomicBool,
    /// What the server says that it is doing, call by call, before it is ready.
    starting: Mutex<Box<dyn Iterator<Item = String> + Send>>,
}

// === impl Holding ===

impl Holding {
    /// Photos under class folders; their bytes are their keys, over and over.
    pub(crate) fn new(keys: impl IntoIterator<Item = String>) -> Self {
        let photo = |key: String| Photo { bytes: key.as_bytes().repeat(1 + key.len() % 7), key };
        Self { photos: keys.into_iter().map(photo).collect(), ..Self::default() }
    }

    /// `count` photos in one class.
    pub(crate) fn of(class: &str, count: usize) -> Self {
        Self::new((0..count).map(|i| format!("{class}/{i:04}.jpg")))
    }

    pub(crate) fn with_model(mut self, name: &str, file: &[u8], recipe: &str, feature_len: u32) -> Self {
        self.models.push(proto::ModelDescription {
            name: name.to_owned(),
            digest: Digest::of(file).as_bytes().to_vec().into(),
            recipe: Recipe::builtin(recipe).unwrap().to_toml(),
            output: "features".to_owned(),
            feature_len,
            device: "cpu".to_owned(),
            devices: None,
        });
        self
    }

    /// Says that devices run its models.
    pub(crate) fn on_devices(mut self, count: u32, rate: f64) -> Self {
        for model in &mut self.models {
            (model.device, model.devices) = ("cuda".to_owned(), Some(proto::DevicePool { count, rate }));
        }
        self
    }

    /// The header as an honest server sends it.
    fn header(&self, index: SampleIndex) -> Surveyed {
        let Some(photo) = self.photos.get(index.0 as usize) else {
            let outcome = Err(SampleFailure::new(FailureKind::OutOfRange, format!("no sample {index}")));
            return Surveyed { index, key: None, stored: ByteCount::default(), outcome };
        };
        let outcome = read_header(&photo.bytes, Orientation::Exif, &self.limits.unwrap_or_default());
        let facts =
            |header: Header| PhotoFacts { format: Format::Jpeg, size: header.stored, orientation: header.orientation };
        let outcome = outcome.map(facts).map_err(SampleFailure::from);
        Surveyed { index, key: Some(photo.key.parse().unwrap()), stored: photo.bytes.len().into(), outcome }
    }

    /// The part of these photos, as the servers of one folder have them.
    pub(crate) fn part(self, part: &str) -> Self {
        let part: Partition = part.parse().unwrap();
        let own = self.photos.iter().filter(|photo| part.contains(&photo.key)).cloned().collect();
        Self { part_of: Some((part, self.photos)), photos: own, ..self }
    }

    /// What the server says of its part; `own` is a name that no other server has.
    fn listing(&self, own: &str) -> (Partition, Listing) {
        let mut digester = ListingDigester::default();
        let (part, all) = self.part_of.as_ref().map_or((Partition::ALL, &self.photos), |(part, all)| (*part, all));
        let prefix = if self.part_of.is_some() { "" } else { own };
        for photo in all {
            digester.push(&format!("{prefix}{}", photo.key), photo.bytes.len().into());
        }
        (part, digester.finish(&[]))
    }

    /// What differs between an earlier generation and this one.
    fn differences(&self, earlier: &Self) -> Differences {
        let mut differences = Differences::default();
        for (index, photo) in (0..).zip(&earlier.photos) {
            if !self.photos.iter().any(|later| later.key == photo.key) {
                push_index(&mut differences.removed, index);
            }
        }
        for (index, photo) in (0..).zip(&self.photos) {
            match earlier.photos.iter().find(|old| old.key == photo.key) {
                None => push_index(&mut differences.added, index),
                Some(old) if old.bytes != photo.bytes => push_index(&mut differences.replaced, index),
                Some(_) => {}
            }
        }
        differences
    }

    /// What the server says of its datasets.
    fn datasets(&self) -> proto::DatasetList {
        let listed = ListedDataset {
            samples: self.photos.len() as u64,
            classes: self.classes().len() as u64,
            stored: ByteCount::new(self.bytes()),
            fetched: ByteCount::new(2 * self.bytes()),
            source: "folder".to_owned(),
            generation: 1 + self.earlier.len() as u64,
            digest: self.digest(),
            part: Partition::ALL,
        };
        let (name, state) = ("photos".parse().unwrap(), DatasetState::Serving);
        let photos = ServedDataset { name, state, reason: String::new(), listed: Some(listed) };
        let datasets = std::iter::once(photos).chain(self.others.clone()).map(Into::into).collect();
        proto::DatasetList { datasets, ..proto::DatasetList::default() }
    }

    fn bytes(&self) -> u64 {
        self.photos.iter().map(|photo| photo.bytes.len() as u64).sum()
    }

    pub(crate) fn classes(&self) -> Vec<String> {
        let folders: BTreeSet<_> = self.photos.iter().filter_map(|photo| photo.key.split_once('/')).collect();
        let names: BTreeSet<_> = folders.into_iter().map(|(folder, _)| folder.to_owned()).collect();
        names.into_iter().collect()
    }

    pub(crate) fn digest(&self) -> Digest {
        let mut digester = Digester::default();
        for photo in &self.photos {
            digester.field(photo.key.as_bytes()).field(&photo.bytes);
        }
        digester.finish()
    }

    fn names(&self) -> Digest {
        let mut digester = Digester::default();
        for photo in &self.photos {
            digester.field(photo.key.as_bytes());
        }
        digester.finish()
    }

    fn listed(&self, range: Range<u64>) -> proto::ListBatch {
        let mut batch = proto::ListBatch { first: range.start, ..proto::ListBatch::default() };
        for photo in &self.photos[range.start as usize..range.end as usize] {
            let class = photo.key.split_once('/').map(|(class, _)| class);
            let label = class.map(|class| self.classes().iter().position(|name| name == class).unwrap() as u32 + 1);
            batch.labels.push(label.unwrap_or(0));
            batch.keys.push(photo.key.clone());
            batch.stored_bytes.push(photo.bytes.len() as u64);
        }
        batch
    }

    /// The sample as an honest server sends it.
    pub(crate) fn sample(&self, fetch: &Fetch, asked: Asked) -> proto::Sample {
        let (index, position) = (asked.index, (!self.old).then_some(asked.position));
        let Some(photo) = self.photos.get(index.0 as usize) else {
            let failure = SampleFailure::new(FailureKind::OutOfRange, format!("no sample {index}"));
            return Delivery {
                index,
                position,
                key: None,
                label: None,
                fields: Vec::new(),
                cpu: None,
                outcome: Err(failure),
            }
            .into();
        };
        let key: SampleKey = photo.key.parse().unwrap();
        let class = key.top_folder().map(|folder| self.classes().iter().position(|name| name == folder).unwrap());
        let label = class.map(|position| ClassId(position as u32));
        let outcome = self.deliver(fetch, photo, &key, asked);
        let fields = fetch.fields.iter().map(|name| photo.field(name)).collect();
        Delivery { index, position, key: Some(key), label, fields, cpu: None, outcome }.into()
    }

    fn deliver(
        &self,
        fetch: &Fetch,
        photo: &Photo,
        key: &SampleKey,
        Asked { way, address, .. }: Asked,
    ) -> Result<Delivered, SampleFailure> {
        let (cut, pixels) = (way.cut(), way.pixels());
        let mut bytes = photo.bytes.clone();
        if self.echoes {
            bytes.extend(address.epoch.0.to_le_bytes());
        }
        let (payload, origin) = (Bytes::from(bytes), Position::default());
        if cut == Cut::Features {
            let values = features(&photo.key, self.models[0].feature_len);
            let shape = Shape::vector(values.len() as u32);
            let payload = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            let source = Some(Size { width: 1, height: 1 });
            return Ok(Delivered { way, dtype: DType::F32, shape, payload, source, origin });
        }
        let limits = self.limits.unwrap_or_default();
        let indexed = (cut == Cut::JpegCrop).then(|| IndexedJpeg::rewrite(&payload, &limits).ok()).flatten();
        let start = match (cut, indexed) {
            (Cut::JpegCrop, Some(photo)) => Payload::Indexed(photo),
            (Cut::JpegCrop | Cut::Encoded, _) => {
                return Ok(delivered(Payload::Encoded(payload).into_parts(pixels, None)));
            }
            _ => Payload::Encoded(payload.clone()),
        };
        let recipe = fetch.recipe.clone().unwrap();
        let header = read_header(&payload, Orientation::Stored, &limits)?;
        let draws = Draws { address, key };
        let payload = advance(&recipe, start, cut, &draws, &limits, &mut Scratch::new())?;
        Ok(delivered(payload.into_parts(pixels, Some(header.size))))
    }

    /// All that was asked for, in batches of `batch`, the last first: no order is promised.
    pub(crate) fn honest(&self, fetch: &Fetch, batch: usize) -> Vec<Step> {
        let mut samples: Vec<_> = fetch.iter().map(|asked| self.sample(fetch, asked)).collect();
        samples.chunks_mut(batch).for_each(<[_]>::reverse);
        samples.chunks(batch).map(|batch| Step::Send(batch.to_vec())).collect()
    }
}

fn delivered(parts: Parts) -> Delivered {
    let Parts { way, dtype, shape, source, origin, bytes } = parts;
    Delivered { way, dtype, shape, payload: bytes, source, origin }
}

/// What the fake model makes of a photo.
pub(crate) fn features(key: &str, len: u32) -> Vec<f32> {
    (0..len).map(|i| key.len() as f32 + i as f32).collect()
}

pub(crate) fn steps(steps: Vec<Step>) -> Result<Steps, Status> {
    Ok(Box::new(steps.into_iter()))
}

/// Answers truly.
pub(crate) fn honest() -> Script {
    Arc::new(|holding, _, fetch| steps(holding.honest(fetch, 4)))
}

/// No two servers listen on one port at a time.
fn instance(listener: &std::net::TcpListener) -> [u8; 16] {
    u128::from(listener.local_addr().unwrap().port()).to_le_bytes()
}

// === impl Fake ===

impl Fake {
    pub(crate) fn start(holding: Holding, script: Script) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let shared = Shared {
            state: Mutex::new((holding, script)),
            calls: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            sent: AtomicUsize::new(0),
            most_open: AtomicUsize::new(usize::MAX),
            asked: Mutex::default(),
            reports: Mutex::default(),
            announcements: Mutex::default(),
            replaced: Mutex::default(),
            jobs: Mutex::default(),
            instance: instance(&listener),
            is_frozen: AtomicBool::new(false),
            starting: Mutex::new(Box::new(std::iter::empty())),
        };
        let mut fake = Self { address: listener.local_addr().unwrap(), shared: Arc::new(shared), runtime: None };
        fake.run(listener);
        fake
    }

    pub(crate) fn honest(holding: Holding) -> Self {
        Self::start(holding, honest())
    }

    fn run(&mut self, listener: std::net::TcpListener) {
        listener.set_nonblocking(true).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let service = Arc::new(Service(Arc::clone(&self.shared)));
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            let incoming = futures::stream::unfold(listener, async |listener| {
                let wire = listener.accept().await.and_then(|(stream, _)| Wire::new(stream));
                Some((wire, listener))
            });
            let server = Server::builder()
                .add_service(DatasetsServer::from_arc(Arc::clone(&service)))
                .add_service(SamplesServer::from_arc(Arc::clone(&service)))
                .add_service(JobsServer::from_arc(Arc::clone(&service)))
                .add_service(LossesServer::from_arc(service));
            server.serve_with_incoming(incoming).await.unwrap();
        });
        self.runtime = Some(runtime);
    }

    /// Ends the server as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    /// Stops answering, as a process does that is stopped: connections live, and are taken.
    pub(crate) fn freeze(&self) {
        self.shared.is_frozen.store(true, Ordering::SeqCst);
    }

    /// Starts again on the same port.
    pub(crate) async fn restart(&mut self) {
        // The killed runtime closes its listener a moment later.
        let listener = loop {
            match std::net::TcpListener::bind(self.address) {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            }
        };
        self.run(listener);
    }

    /// Says of each call to come that it is doing this, and is ready after the last.
    pub(crate) fn starts(&self, doing: impl Iterator<Item = String> + Send + 'static) {
        *self.shared.starting.lock().unwrap() = Box::new(doing);
    }

    /// By a name instead of its number.
    pub(crate) fn by_name(&self) -> ServerAddress {
        format!("localhost:{}", self.address.port()).parse().unwrap()
    }

    pub(crate) fn address(&self) -> ServerAddress {
        self.address.into()
    }

    /// Changes what it has.
    pub(crate) fn hold(&self, holding: Holding) {
        self.shared.state.lock().unwrap().0 = holding;
    }

    /// Refuses calls beyond so many at once.
    pub(crate) fn most_open(&self, most: usize) {
        self.shared.most_open.store(most, Ordering::SeqCst);
    }

    /// Calls so far, and those that are open.
    pub(crate) fn calls(&self) -> (usize, usize) {
        (self.shared.calls.load(Ordering::SeqCst), self.shared.open.load(Ordering::SeqCst))
    }

    /// Batches that went into HTTP/2.
    pub(crate) fn sent(&self) -> usize {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// What was announced so far.
    pub(crate) fn replaced(&self) -> Vec<u64> {
        self.shared.replaced.lock().unwrap().clone()
    }

    pub(crate) fn announcements(&self) -> Vec<Announcement> {
        self.shared.announcements.lock().unwrap().clone()
    }

    /// The job that every call for samples has named.
    pub(crate) fn jobs(&self) -> Vec<Option<String>> {
        self.shared.jobs.lock().unwrap().clone()
    }

    pub(crate) fn reports(&self) -> Vec<LossReport> {
        self.shared.reports.lock().unwrap().clone()
    }

    /// The indices of every call so far.
    pub(crate) fn asked(&self) -> Vec<Vec<u64>> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    /// Never ends where the server is frozen.
    async fn freeze(&self) {
        if self.is_frozen.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    fn check_ready(&self) -> Result<(), Status> {
        let doing = self.starting.lock().unwrap().next();
        doing.map_or(Ok(()), |doing| Err(Refusal::Starting { doing }.into()))
    }
}

struct Service(Arc<Shared>);

struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tonic::async_trait]
impl Datasets for Service {
    async fn list_datasets(
        &self,
        _request: Request<proto::ListDatasetsRequest>,
    ) -> Result<Response<proto::DatasetList>, Status> {
        Ok(Response::new(self.0.state.lock().unwrap().0.datasets()))
    }

    type DifferencesStream = ReceiverStream<Result<proto::DifferencesBatch, Status>>;

    async fn differences(
        &self,
        request: Request<proto::DifferencesRequest>,
    ) -> Result<Response<Self::DifferencesStream>, Status> {
        let compare =
            Compare::try_from(request.into_inner()).map_err(|invalid| Status::from(Refusal::from(invalid)))?;
        let holding = self.0.state.lock().unwrap().0.clone();
        let known = holding.earlier.iter().find(|earlier| earlier.digest() == compare.from);
        let earlier = known.ok_or_else(|| Status::from(Refusal::Changed { what: "dataset" }))?;
        let differences = holding.differences(earlier);
        let (batches, receiver) = mpsc::channel(64);
        for batch in differences::batches(&differences, holding.digest()) {
            batches.send(Ok(batch)).await.unwrap();
        }
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn describe(
        &self,
        request: Request<proto::DescribeRequest>,
    ) -> Result<Response<proto::DatasetDescription>, Status> {
        self.0.freeze().await;
        self.0.check_ready()?;
        let proto::DescribeRequest { dataset: asked, digest } = request.into_inner();
        if asked != "photos" {
            return Err(Refusal::UnknownDataset { asked, served: "photos".to_owned() }.into());
        }
        let (holding, _) = self.0.state.lock().unwrap().clone();
        if !digest.is_empty() && digest != holding.digest().as_bytes()[..] {
            return Err(Refusal::Changed { what: "dataset" }.into());
        }
        let (part, listing) = holding.listing(&format!("{:?}", self.0.instance));
        Ok(Response::new(proto::DatasetDescription {
            dataset: asked,
            samples: holding.photos.len() as u64,
            digest: holding.digest().as_bytes().to_vec().into(),
            classes: holding.classes(),
            cpu_workers: 2,
            server_version: "fake".to_owned(),
            stored_bytes: holding.stored_bytes.unwrap_or_else(|| holding.bytes()),
            part: Some(proto::Part { number: part.number(), count: part.count() }),
            listing: Some(proto::Listing {
                samples: listing.samples,
                digest: listing.digest.as_bytes().to_vec().into(),
                sketch: listing.sketch.hashes().collect(),
            }),
            instance: self.0.instance.to_vec().into(),
            sample_epochs: !holding.old,
            names_digest: if holding.old { Bytes::new() } else { holding.names().as_bytes().to_vec().into() },
            models: holding.models,
            limits: holding.limits.map(Into::into),
            left_out: Vec::new(),
            fields: fields_to(&holding.fields),
            generation: 1,
            source: "folder".to_owned(),
        }))
    }

    type ListStream = ReceiverStream<Result<proto::ListBatch, Status>>;

    async fn list(&self, request: Request<proto::ListRequest>) -> Result<Response<Self::ListStream>, Status> {
        let list = List::try_from(request.into_inner()).map_err(|invalid| Status::from(Refusal::from(invalid)))?;
        let (holding, _) = self.0.state.lock().unwrap().clone();
        let number = self.0.calls.fetch_add(1, Ordering::SeqCst);
        let (batches, receiver) = mpsc::channel(2);
        let headwater_wire::Samples::Range { first, count } = list.samples else { panic!("this server lists ranges") };
        let end = first + count as u64;
        let middle = first.midpoint(end);
        batches.send(Ok(holding.listed(first..middle))).await.unwrap();
        // The first call breaks in the middle.
        let rest = if number == 0 { Err(Status::unavailable("not now")) } else { Ok(holding.listed(middle..end)) };
        batches.send(rest).await.unwrap();
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

#[tonic::async_trait]
impl Samples for Service {
    type FetchStream = ReceiverStream<Result<proto::FetchBatch, Status>>;

    async fn fetch(&self, request: Request<proto::FetchRequest>) -> Result<Response<Self::FetchStream>, Status> {
        self.0.freeze().await;
        self.0.check_ready()?;
        let plug = request.extensions().get::<Plug>().unwrap().clone();
        let fetch = Fetch::try_from(request.into_inner()).map_err(|invalid| Status::from(Refusal::from(invalid)))?;
        let (holding, script) = self.0.state.lock().unwrap().clone();
        let number = self.0.calls.fetch_add(1, Ordering::SeqCst);
        self.0.asked.lock().unwrap().push(fetch.iter().map(|asked| asked.index.0).collect());
        self.0.jobs.lock().unwrap().push(fetch.job.as_ref().map(ToString::to_string));
        let open = Open(Arc::clone(&self.0));
        let limit = self.0.most_open.load(Ordering::SeqCst);
        if self.0.open.fetch_add(1, Ordering::SeqCst) >= limit {
            return Err(Refusal::Busy { limit }.into());
        }
        if fetch.dataset_digest.is_some_and(|digest| digest != holding.digest()) {
            return Err(Refusal::Changed { what: "dataset" }.into());
        }
        let steps = script(&holding, number, &fetch)?;
        let (batches, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            for step in steps {
                let sent = match step {
                    Step::Send(samples) => batches.send(Ok(proto::FetchBatch { samples, waiting: None })).await,
                    Step::Fail(status) => batches.send(Err(status)).await,
                    Step::Cut => return plug.pull(),
                    Step::Hang => return batches.closed().await,
                    Step::Busy(after) => {
                        tokio::time::sleep(after).await;
                        let waiting =
                            proto::Waiting { reason: "memory".to_owned(), detail: "others have it".to_owned() };
                        batches.send(Ok(proto::FetchBatch { samples: Vec::new(), waiting: Some(waiting) })).await
                    }
                };
                if sent.is_err() {
                    return;
                }
                open.0.sent.fetch_add(1, Ordering::SeqCst);
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    type SurveyStream = ReceiverStream<Result<proto::SurveyBatch, Status>>;

    async fn survey(&self, request: Request<proto::SurveyRequest>) -> Result<Response<Self::SurveyStream>, Status> {
        let survey = Survey::try_from(request.into_inner()).map_err(|invalid| Status::from(Refusal::from(invalid)))?;
        let (holding, _) = self.0.state.lock().unwrap().clone();
        let number = self.0.calls.fetch_add(1, Ordering::SeqCst);
        let mut samples: Vec<_> = survey.samples.iter().map(|index| holding.header(index).into()).collect();
        let (batches, receiver) = mpsc::channel(2);
        samples.reverse();
        // The first call breaks in the middle.
        let rest = samples.split_off(samples.len() / 2);
        batches.send(Ok(proto::SurveyBatch { samples })).await.unwrap();
        let end =
            if number == 0 { Err(Status::unavailable("not now")) } else { Ok(proto::SurveyBatch { samples: rest }) };
        batches.send(end).await.unwrap();
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

#[tonic::async_trait]
impl Losses for Service {
    async fn report(&self, request: Request<proto::ReportRequest>) -> Result<Response<proto::ReportSummary>, Status> {
        let report =
            LossReport::try_from(request.into_inner()).map_err(|invalid| Status::from(Refusal::from(invalid)))?;
        let (holding, _) = self.0.state.lock().unwrap().clone();
        let known = |key: &SampleKey| holding.photos.iter().any(|photo| photo.key == key.as_str());
        let kept = match &report.samples {
            Which::Indices(indices) => indices.len(),
            Which::Keys(keys) => keys.iter().filter(|key| known(key)).count(),
        };
        self.0.reports.lock().unwrap().push(report);
        Ok(Response::new(proto::ReportSummary { kept: kept as u64 }))
    }
}

#[tonic::async_trait]
impl Jobs for Service {
    async fn announce(
        &self,
        request: Request<proto::AnnounceRequest>,
    ) -> Result<Response<proto::AnnounceAnswer>, Status> {
        let (holding, _) = self.0.state.lock().unwrap().clone();
        let answers = holding.announced.ok_or_else(|| Status::unimplemented("no such call"))?;
        let mut heard = self.0.announcements.lock().unwrap();
        let outcome = answers.get(heard.len()).copied().unwrap_or(proto::Announced::Counts);
        heard.push(
            Announcement::try_from(request.into_inner()).map_err(|invalid| Status::from(Refusal::from(invalid)))?,
        );
        Ok(Response::new(proto::AnnounceAnswer { outcome: outcome.into() }))
    }

    /// Every third sample is cached.
    async fn cached(&self, request: Request<proto::CachedRequest>) -> Result<Response<proto::CachedAnswer>, Status> {
        let (holding, _) = self.0.state.lock().unwrap().clone();
        holding.announced.ok_or_else(|| Status::unimplemented("no such call"))?;
        let query = CachedQuery::try_from(request.into_inner()).unwrap();
        let cached = to_bits(query.samples.iter().map(|index| index.0 % 3 == 0)).into();
        Ok(Response::new(proto::CachedAnswer { cached }))
    }

    /// Every other sample is of low importance, of those of which a loss is known, which is half of all.
    async fn low(&self, request: Request<proto::LowRequest>) -> Result<Response<proto::LowAnswer>, Status> {
        let (holding, _) = self.0.state.lock().unwrap().clone();
        holding.announced.ok_or_else(|| Status::unimplemented("no such call"))?;
        let query = LowQuery::try_from(request.into_inner()).unwrap();
        let low = to_bits(query.samples.iter().map(|index| index.0 % 2 == 0)).into();
        Ok(Response::new(proto::LowAnswer { low, known: 5 }))
    }

    async fn replaced(
        &self,
        request: Request<proto::ReplacedRequest>,
    ) -> Result<Response<proto::ReplacedAnswer>, Status> {
        let (holding, _) = self.0.state.lock().unwrap().clone();
        holding.announced.ok_or_else(|| Status::unimplemented("no such call"))?;
        let report = ReplacedReport::try_from(request.into_inner()).unwrap();
        self.0.replaced.lock().unwrap().extend(report.samples.into_iter().map(|index| index.0));
        Ok(Response::new(proto::ReplacedAnswer {}))
    }
}

/// A connection whose plug can be pulled.
struct Wire {
    stream: TcpStream,
    plug: Plug,
}

#[derive(Clone)]
struct Plug(Arc<std::net::TcpStream>);

impl Wire {
    fn new(stream: TcpStream) -> io::Result<Self> {
        let stream = stream.into_std()?;
        let plug = Plug(Arc::new(stream.try_clone()?));
        Ok(Self { stream: TcpStream::from_std(stream)?, plug })
    }
}

impl Plug {
    fn pull(&self) {
        // Fails where the client was faster.
        drop(self.0.shutdown(Shutdown::Both));
    }
}

impl Connected for Wire {
    type ConnectInfo = Plug;

    fn connect_info(&self) -> Plug {
        self.plug.clone()
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
