//! The life of a server: check, listen, open, serve, drain, end.
//!
//! It listens before it opens dataset and models, which may take minutes: calls are then refused with what it is doing,
//! and a client waits.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use headwater_cli::outputs::OutputError;
use headwater_cli::{Hangups, OutputFile, Outputs};
use headwater_discovery::Registration;
use headwater_store::{DatasetSpec, Partition};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::args::ServeArgs;
use crate::calls::Desk;
use crate::datasets::Datasets;
use crate::exporter::{self, Exported};
use crate::gate::{Fresh, Gate};
use crate::health::Health;
use crate::homes::{Addresses, Rounds, Share};
use crate::house::House;
use crate::ingest::Intakes;
use crate::labelling::LabellingJobs;
use crate::life::{Life, Phase};
use crate::listen::Listeners;
use crate::metrics::Metrics;
use crate::models::CatchingUp;
use crate::open::{Checked, Opener};
use crate::others::Others;
use crate::reload::Reloader;
use crate::served::Served;
use crate::status::Fixed;
use crate::supervisor::Supervisor;
use crate::training::Trainings;
use crate::{admission, ahead, ceding, first, grpc, ingest, open};

/// How often it is looked whether models that were replaced are let go.
const LOOK: Duration = Duration::from_secs(1);

/// Serves until `stop` is cancelled, then lets open streams finish for the grace period. On SIGHUP the datasets are
/// listed anew. Dropping the future ends at once.
///
/// # Errors
/// What keeps the server from starting: the dataset, a model, a device, an address.
pub(crate) async fn serve(args: ServeArgs, hangups: Hangups, stop: CancellationToken) -> Result<()> {
    let mut outputs = Outputs::new();
    let mut port_file = |setting, file: Option<&Path>| file.map(|file| outputs.file(setting, file)).transpose();
    let metrics_port_file = port_file("--metrics-port-file", args.metrics_port_file.as_deref())?;
    let port_file = port_file("--port-file", args.port_file.as_deref())?;
    let (checked, gate) = (open::check(&args)?, Arc::new(Gate::new(&args.access)?));
    let others = Others::new(args.access.towards_others()?);
    args.cache.say();
    args.limits.say();
    let addresses = args.peers.is_shared().then(|| Addresses::new(&args.peers)).transpose()?;
    let all = datasets(&args);
    let datasets = Arc::new(Datasets::new(all.iter().map(|(served, _)| Arc::clone(served)).collect()));
    let (life, metrics) = (
        Arc::new(Life::new(Arc::clone(&datasets), stop.clone())),
        Arc::new(Metrics::of(&datasets, gate.provider.clone())),
    );
    let supervisor = Arc::new(Supervisor::from_environment());
    let ended = CancellationToken::new();
    let _ends_the_others = ended.clone().drop_guard();
    let listeners = Listeners::bind("--listen", &args.listen).await?;
    let address = listeners.address()?;
    tracing::info!(%address, only_this_machine = listeners.is_local(), "listening");
    let share = share(&args, addresses.is_some(), address.port(), &checked)?;
    let exported = Exported {
        life: Arc::clone(&life),
        metrics: Arc::clone(&metrics),
        gate: Arc::clone(&gate),
        fixed: Arc::new(Fixed {
            serving: address.to_string(),
            most_connections: args.max_connections.get(),
            began: Instant::now(),
        }),
    };
    export(&args, exported, metrics_port_file, ended.clone()).await?;
    tokio::spawn(Arc::clone(&supervisor).follow(Arc::clone(&life), ended));

    let (reporter, service) = tonic_health::server::health_reporter();
    let health = Health::starting(reporter).await;
    let reloader = Reloader::new(all.clone(), args.keep_generations, Arc::clone(&supervisor));
    let labelling = LabellingJobs::new(Arc::clone(&datasets));
    let intakes = Arc::new(Intakes::new(&args.ingest.ingest, &all));
    let instance = instance();
    let desk = Desk {
        instance,
        life: Arc::clone(&life),
        metrics: Arc::clone(&metrics),
        reloader: Arc::clone(&reloader),
        labelling: Arc::clone(&labelling),
        intakes: Arc::clone(&intakes),
        trainings: {
            let of = (args.training.memory(), args.training.slowdown());
            Trainings::new(of, instance, metrics.training.clone())
        },
    };
    let limits = admission::Limits {
        connections: args.max_connections,
        handshake: args.handshake_timeout,
        idle: args.idle_timeout,
        bandwidth: args.max_bandwidth,
    };
    let connections = admission::admit(listeners, limits, (Arc::clone(&gate), Arc::clone(&metrics)), stop.clone());
    let mut fresh = Fresh::begin(&gate);
    let router = grpc::router(&args, service, desk, gate)?;
    let server = router.serve_with_incoming_shutdown(connections, stop.clone().cancelled_owned());
    let mut server = std::pin::pin!(server);

    let open = async {
        let opened = first::open(all).await?;
        let house = open::house(&args, checked, share, (&life, &metrics)).await?;
        fresh.ready(&life).await?;
        anyhow::Ok((house, opened))
    };
    let (house, opened) = tokio::select! {
        // First: a server that is asked to stop while it starts has nothing to drain.
        biased;
        () = stop.cancelled() => return Ok(()),
        opened = open => opened?,
        result = &mut server => return result.context("the server ended"),
    };
    let watching = watch(Arc::clone(&house), args.unread_limit);
    let _watching = AbortOnDropHandle::new(tokio::spawn(watching));
    reloader.use_cache(house.cache.as_ref());
    let letting_go = let_go(Arc::clone(&house), args.keep_generations);
    let _letting_go = AbortOnDropHandle::new(tokio::spawn(letting_go));
    let ahead = ahead::run(Arc::clone(&house), Arc::clone(&datasets));
    let _ahead = AbortOnDropHandle::new(tokio::spawn(ahead));
    let _sharing = match house.share.clone().zip(addresses) {
        None => None,
        Some((share, addresses)) => {
            let ceding = ceding::run(Arc::clone(&share), Arc::clone(&datasets));
            let mut rounds = Rounds::new(share, datasets, (addresses, others.clone()), instance);
            // Before the first call: what it reads of others' samples would be kept.
            rounds.round().await;
            Some(AbortOnDropHandle::new(tokio::spawn(async { tokio::join!(ceding, rounds.run()) })))
        }
    };
    let _catching_up = match catching_up(&args, &house, others.clone())? {
        None => None,
        Some(mut catching_up) => {
            // Before the first call: whoever asks gets what serves elsewhere.
            life.begin("catching up with the models of others");
            if stop.run_until_cancelled(catching_up.start()).await.is_none() {
                return Ok(());
            }
            Some(AbortOnDropHandle::new(tokio::spawn(catching_up.run())))
        }
    };
    life.serve(Arc::clone(&house));
    {
        let (labelling, house) = (Arc::clone(&labelling), Arc::clone(&house));
        tokio::task::spawn_blocking(move || labelling.resume(&house));
    }
    let following = intakes.all().map(|intake| {
        let by = (Arc::clone(&reloader), Arc::clone(&labelling));
        AbortOnDropHandle::new(tokio::spawn(ingest::follow(Arc::clone(intake), Arc::clone(&house), by)))
    });
    let _following: Vec<_> = following.collect();
    let list = first::list(opened, &house, async || health.serving().await);
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        listed = list => listed?,
        result = &mut server => return result.context("the server ended"),
    }
    let (refresh, end) = (args.refresh, stop.clone());
    if !stop.is_cancelled() {
        say_serving(&life, address, &supervisor);
        write_port(port_file, address.port())?;
    }
    let registered = args.register.registered(&args.listen, address.port()).context("--advertise")?;
    let registration = registered.map(|(etcd, address)| Registration::new(etcd, address)).transpose()?;
    // Its end is waited for: whoever looks should not find a server that is gone.
    let mut registered = registration.map(|registration| tokio::spawn(registration.keep(stop.clone())));
    let reloading = async move { tokio::join!(follow(hangups, &reloader), Arc::clone(&reloader).run(refresh, end)) };
    let _reloading = AbortOnDropHandle::new(tokio::spawn(reloading));
    tokio::select! {
        // First: without a connection the server ends in the same moment.
        biased;
        () = stop.cancelled() => {}
        result = &mut server => return result.context("the server ended"),
    }
    supervisor.stopping(&Phase::Draining.to_string(), args.grace);
    health.end().await;
    let drained = drain(server, args.grace, &house).await;
    if let Some(registered) = registered.take() {
        let _ = registered.await;
    }
    keep_for_the_next_start(&house, args.grace).await;
    drained
}

/// This server among those with which it shares its store, once its port is known; `None` where it shares with nobody.
fn share(args: &ServeArgs, is_shared: bool, port: u16, checked: &Checked) -> Result<Option<Arc<Share>>> {
    if !is_shared {
        return Ok(None);
    }
    let name = args.peers.name(&args.listen, port).context("the name of --listen among --peers: give --peer-name")?;
    tracing::info!(%name, "peers: the store is shared with those that answer, and each sample is kept by one of them");
    Ok(Some(Arc::new(Share::new(name, checked.memory.decoded))))
}

/// The datasets of the settings, each with how it is opened.
fn datasets(args: &ServeArgs) -> Vec<(Arc<Served>, Arc<Opener>)> {
    let page_memory = args.datasets.source.page_memory();
    let dataset = |spec: DatasetSpec| {
        let part = spec.source.partition.unwrap_or(Partition::ALL);
        let served = Served::new(spec.name.clone(), part, args.datasets.setting(&spec.name));
        (Arc::new(served), Arc::new(Opener::new(args, &spec, &page_memory)))
    };
    args.datasets.specs().into_iter().map(dataset).collect()
}

/// Opens the metrics port, where there is to be one.
async fn export(
    args: &ServeArgs,
    exported: Exported,
    port_file: Option<OutputFile>,
    end: CancellationToken,
) -> Result<()> {
    let Some(wanted) = &args.metrics_listen else { return Ok(()) };
    let listeners = Listeners::bind("--metrics-listen", wanted).await?;
    let address = listeners.address()?;
    tokio::spawn(exporter::export(listeners, exported, end));
    tracing::info!(%address, "metrics");
    Ok(write_port(port_file, address.port())?)
}

/// Says in the log, and to systemd, that everything is served that can be.
fn say_serving(life: &Life, address: SocketAddr, supervisor: &Supervisor) {
    let served = life.datasets.served();
    let phase = life.phase();
    tracing::info!(%address, served, %phase, "serving");
    supervisor.ready(&format!("serving {served} on {address}"));
}

/// Has the datasets listed anew at each SIGHUP.
async fn follow(mut hangups: Hangups, reloader: &Reloader) {
    loop {
        hangups.next().await;
        tracing::info!("SIGHUP: listing the datasets anew");
        reloader.ask();
    }
}

/// Keeps streams that nobody reads from being in the way of others.
async fn watch(house: Arc<House>, unread_limit: Duration) {
    let (streams, metrics) = (&house.streams, &house.metrics);
    tokio::join!(streams.relieve(&house.resources), streams.end_unread(unread_limit, metrics));
}

/// What catches up with the models of others; `None` where there are no others, or no place for versions.
fn catching_up(args: &ServeArgs, house: &Arc<House>, others: Others) -> Result<Option<CatchingUp>> {
    if args.state.setting().is_none() {
        return Ok(None);
    }
    let addresses = match (args.models_from.is_empty(), args.peers.is_shared()) {
        (false, _) => Addresses::of(args.models_from.clone()),
        (true, true) => Addresses::new(&args.peers)?,
        (true, false) => return Ok(None),
    };
    Ok(Some(CatchingUp::new(Arc::clone(&house.models), addresses, others)))
}

/// Lets go of models that were replaced, once the clients that began with them have ended.
async fn let_go(house: Arc<House>, keep: Duration) {
    loop {
        tokio::time::sleep(LOOK).await;
        house.models.let_go(keep);
    }
}

/// Waits for the connections to end, each after its open streams.
async fn drain<E>(server: impl Future<Output = Result<(), E>>, grace: Duration, house: &House) -> Result<()>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let count = || (house.open_streams(), house.metrics.connections.get());
    let (streams, connections) = count();
    tracing::info!(grace_seconds = grace.as_secs_f64(), streams, connections, "draining");
    match tokio::time::timeout(grace, server).await {
        Ok(result) => result.context("the server ended")?,
        Err(_) => match count() {
            // Their peers do not answer: they have stopped, or are gone without a word.
            (0, connections) => tracing::info!(connections, "grace period over: closing connections without streams"),
            (streams, _) => tracing::warn!(streams, "grace period over: open streams are cut off"),
        },
    }
    Ok(())
}

/// Writes what the cache has in memory to its disk, as much as can be written in this time.
async fn keep_for_the_next_start(house: &House, time: Duration) {
    let Some(cache) = house.cache.clone().filter(|cache| cache.has_disk()) else { return };
    let close = move || cache.cache().close(time);
    if let Err(error) = tokio::task::spawn_blocking(close).await {
        tracing::warn!(%error, "what the cache had in memory was not written to its disk");
    }
}

/// Writes a port whole or not at all: a program that waits for the file may read it the moment it is there.
fn write_port(file: Option<OutputFile>, port: u16) -> Result<(), OutputError> {
    file.map_or(Ok(()), |file| file.unsynced().write_all(format!("{port}\n").as_bytes()))
}

/// Bytes that no other server has. They come of the keys that the standard library draws from the system for its hash
/// tables.
fn instance() -> [u8; 16] {
    let [low, high] = [(); 2].map(|()| RandomState::new().hash_one("instance"));
    (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
}
