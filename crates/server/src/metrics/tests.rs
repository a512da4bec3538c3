//! What is on the metrics page.

use headwater_cache::{CacheSettings, SsdSettings, Worth};
use headwater_image::Unindexable;
use headwater_pipeline::{DatasetCache, Kept, Lookup, PhotoIndex, Pipeline};
use headwater_store::{Extent, Past, StoreOptions, Version};
use headwater_types::{Amount, Digest, ImageLimits, Partition, SampleKey};

use super::*;
use crate::batch::Batch;
use crate::generation::Generation;
use crate::served::Served;

#[test]
fn every_stage_is_there_from_the_start() {
    let metrics = Metrics::new(&Arc::default());
    metrics.samples(&"photos".parse().unwrap()).sent(&Batch::new());
    let text = metrics.encode(ByteCount::new(5)).unwrap();
    for stage in stages::STAGES {
        let line = format!("headwater_stage_seconds_count{{stage=\"{stage}\"}}");
        assert!(text.contains(&line), "{line} in {text}");
    }
    assert!(text.contains("headwater_memory_granted_bytes 5"), "{text}");
    assert!(
        !text.lines().any(|line| line.starts_with("headwater_index") || line.starts_with("headwater_cache")),
        "a cache is told of, and there is none: {text}"
    );
}

/// Metrics of a server with a dataset of one photo in class `cat`, with a text and a film beside it, and with one that
/// is not open yet.
async fn opened(index: Option<Arc<PhotoIndex>>) -> Metrics {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("cat")).unwrap();
    for name in ["1.jpg", "1.txt", "1.mp4"] {
        std::fs::write(folder.path().join("cat").join(name), b"nine byte").unwrap();
    }
    let data = folder.path().to_str().unwrap().parse().unwrap();
    let store = headwater_store::open(&data, &StoreOptions::default()).await.unwrap();
    let catalog = Arc::new(store.list(None).await.unwrap());
    let cache = index.as_ref().map(|index| Arc::clone(index.cache()));
    let pipeline = Pipeline { store, catalog, cache, index, outlook: None, limits: ImageLimits::default() };
    let served = ["photos", "flowers"]
        .map(|name| Arc::new(Served::new(name.parse().unwrap(), Partition::ALL, "--data".to_owned())));
    served[0].serve(Generation::new(1, pipeline), Past::none());
    let metrics = Metrics::new(&Arc::new(Datasets::new(served.clone().into())));
    let cache = served[0].current().and_then(|now| now.pipeline.cache.clone());
    cache.iter().for_each(|cache| metrics.tell_of_cache(cache.shared()));
    metrics
}

#[tokio::test]
async fn datasets_build_process_and_refusals_are_told_of() {
    let metrics = opened(None).await;
    drop(metrics.refuse(Refusal::Stopping));
    let text = metrics.encode(ByteCount::default()).unwrap();
    for line in [
        "headwater_dataset_samples{dataset=\"photos\"} 1.0",
        "headwater_dataset_classes{dataset=\"photos\"} 1.0",
        "headwater_dataset_stored_bytes{dataset=\"photos\"} 9.0",
        "headwater_dataset_left_out{dataset=\"photos\",reason=\"no-photo\"} 2.0",
        "headwater_dataset_left_out{dataset=\"photos\",reason=\"unreadable\"} 0.0",
        "headwater_dataset_partition_served{dataset=\"photos\",partition=\"1/1\"} 1.0",
        "headwater_dataset_partition_served{dataset=\"flowers\",partition=\"1/1\"} 0.0",
        "headwater_calls_refused_total{reason=\"stopping\"} 1",
        "headwater_calls_refused_total{reason=\"busy\"} 0",
        "headwater_samples_failed_total{dataset=\"flowers\",kind=\"io\"} 0",
        "headwater_payload_sent_bytes_total{dataset=\"photos\"} 0",
        "headwater_source_fetched_bytes_total{dataset=\"flowers\"} 0",
        "headwater_source_reads_total{dataset=\"photos\"} 0",
    ] {
        assert!(text.lines().any(|each| each == line), "{line} in {text}");
    }
    for start in [
        "headwater_dataset_info{dataset=\"photos\",digest=\"",
        concat!("headwater_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\",commit=\""),
        "process_cpu_seconds_total ",
        "process_resident_memory_bytes ",
        "process_open_fds ",
        "process_start_time_seconds ",
    ] {
        assert!(text.lines().any(|each| each.starts_with(start)), "{start} in {text}");
    }
}

#[test]
fn every_family_has_a_help_and_a_type_before_anything_is_open() {
    let text = metrics_reference().unwrap();
    let names = |kind: &str| -> Vec<String> {
        let of_kind = text.lines().filter_map(|line| line.strip_prefix(kind));
        of_kind.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    let helped = names("# HELP ");
    assert_eq!(helped, names("# TYPE "));
    for name in ["headwater_index_not_kept", "headwater_model_info", "headwater_dataset_samples", "process_open_fds"] {
        assert!(helped.iter().any(|each| each == name), "{name} in {text}");
    }
    for line in text.lines().filter_map(|line| line.strip_prefix("# HELP ")) {
        assert!(line.split_once(' ').is_some_and(|(_, help)| help.len() > 10), "{line}");
    }
}

#[tokio::test]
async fn the_cache_and_the_photo_index_tell_of_themselves_where_there_are_any() {
    let folder = tempfile::TempDir::new().unwrap();
    let key: SampleKey = "cat/1.jpg".parse().unwrap();
    let extent = Extent::whole(key.clone(), Version::of_file(9, 1, 2));
    let limit = ByteCount::new(65_536);
    let ssd = SsdSettings { folder: folder.path().join("cache"), limit, floor: Some(Amount::ZERO) };
    let memory = ByteCount::new(0);
    let settings = CacheSettings { memory, ssd: Some(ssd), policy: "lru".parse().unwrap() };
    let shared = SharedCache::open(settings, "indexed".parse().unwrap()).unwrap();
    let cache = DatasetCache::new(&shared, Digest::of(b"here"), true, ImageLimits::default());
    let index = PhotoIndex::new(&cache).unwrap();
    assert_eq!(index.find(&key, &extent), Lookup::Absent);
    assert_eq!(index.keep(&key, &extent, Err(Unindexable::Cmyk), Worth::of_cost(1.0)), Kept::Done);
    assert_eq!(index.find(&key, &extent), Lookup::Unindexable(Unindexable::Cmyk));
    let text = opened(Some(Arc::new(index))).await.encode(ByteCount::default()).unwrap();
    for line in [
        "headwater_index_hits_total{dataset=\"photos\"} 1",
        "headwater_index_misses_total{dataset=\"photos\"} 1",
        "headwater_index_kept_total{dataset=\"photos\"} 1",
        "headwater_index_not_kept_total{dataset=\"photos\",reason=\"limit\"} 0",
        "headwater_index_not_kept_total{dataset=\"photos\",reason=\"disk-full\"} 0",
        "headwater_index_unindexable_total{dataset=\"photos\",reason=\"cmyk\"} 2",
        "headwater_index_unindexable_total{dataset=\"photos\",reason=\"not-jpeg\"} 0",
        "headwater_cache_entries_total{outcome=\"ssd-hit\",kind=\"indexed\"} 1",
        "headwater_cache_entries_total{outcome=\"miss\",kind=\"indexed\"} 1",
        "headwater_cache_entries_total{outcome=\"admitted\",kind=\"indexed\"} 1",
        "headwater_cache_entries_total{outcome=\"corrupt\",kind=\"encoded\"} 0",
        "headwater_cache_held_entries{tier=\"ssd\",kind=\"indexed\"} 1.0",
        "headwater_cache_latency_seconds_count{source=\"ssd\"} 1",
        "headwater_cache_disk_bytes 4096.0",
        "headwater_cache_disk_limit_bytes 65536.0",
        "headwater_cache_disk_used 1.0",
        "headwater_cache_stalled_milliseconds_total 0",
    ] {
        assert!(text.lines().any(|each| each == line), "{line} in {text}");
    }
}
