//! Every limit of the system, in one place, each with the reason for its value.
//!
//! A limit that a user may want to move is the default of a setting; the setting's name stands beside it.

use std::time::Duration;

use crate::units::ByteCount;

/// The port of a storage server, where none is named. Setting: `--listen`.
pub const DEFAULT_PORT: u16 = 7440;

/// Most connections at a time that are served: two for each of 128 clients, and few enough for the usual limit of 1,024
/// open files. Setting: `--max-connections`.
pub const MAX_CONNECTIONS: usize = 256;
/// Most connections at a time that have not said yet that they speak HTTP/2: clients do so in one round trip. They take
/// no place among [`MAX_CONNECTIONS`]; past this the one that has been silent for longest makes way for the next.
pub const MAX_NEWCOMERS: usize = 128;
/// Time for a connection's first words, which are HTTP/2's preface and its settings: ten round trips around the world,
/// with packets lost. Setting: `--handshake-timeout`.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time after which a connection without a call is closed: as long as a trainer may validate between two epochs, whose
/// connections would only be opened anew. Setting: `--idle-timeout`.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(900);
/// Most connections at a time that only hear that there is no place for them. Each takes a round trip, and the next
/// waits for it.
pub const MAX_TURNED_AWAY: usize = 32;
/// How long a connection for which there is no place may stay to hear it.
pub const TURNED_AWAY_FOR: Duration = Duration::from_secs(2);
/// Most connections of the metrics port at a time: a scraper and some probes use three. Past this the oldest makes way.
pub const METRICS_CONNECTIONS: usize = 64;
/// Time that a connection of the metrics port has for its one request and its answer, which are ready in milliseconds.
pub const METRICS_TIMEOUT: Duration = Duration::from_secs(5);
/// Samples that failed and that a server names on its page: a screen or two to look through.
pub const LAST_FAILURES: usize = 100;
/// Bytes that are kept of the message of each.
pub const LAST_FAILURE_BYTES: usize = 300;
/// Rows of each table on a server's page: who has more looks at the metrics.
pub const STATUS_ROWS: usize = 100;
/// What may happen a thousand times a second is logged once in so long, with the number of times.
pub const LOG_AGAIN: Duration = Duration::from_secs(10);

/// Longest side of an image, in pixels: the largest that a JPEG frame header can say. Setting: `--max-dimension`.
pub const MAX_DIMENSION: u32 = 65_535;
/// Most pixels of an image: where Pillow begins to warn of a decompression bomb. Setting: `--max-pixels`.
pub const MAX_PIXELS: u64 = 89_478_485;
/// Most bytes of one stored object: no photo format in use is larger. Setting: `--max-object-bytes`.
pub const MAX_OBJECT: ByteCount = ByteCount::mebibytes(64);
/// Engines of TensorRT that are kept in one folder, those that were used last: of each model that a machine runs, in
/// several versions. One takes as many bytes as its model, about.
pub const MAX_ENGINES: usize = 16;
/// Most devices that run one model at a server or at a tuner: CUDA's numbers of GPUs have 8 bits here.
pub const MAX_DEVICES: u32 = 256;
/// Memory for the bytes of photos that are being taken in, beside what a server's settings give to samples.
pub const INGEST_BYTES: ByteCount = ByteCount::mebibytes(256);
/// Most memory that one sample may take while it is worked on: encoded bytes, pixels, coefficients and output together,
/// estimated from its header. A 22 megapixel photo decoded for the wire needs about 180 MiB. Setting:
/// `--max-sample-memory`.
pub const MAX_SAMPLE_MEMORY: ByteCount = ByteCount::mebibytes(224);
/// Most scans of a progressive JPEG: encoders write about 10; a file of thousands is an attack on the CPU. Setting:
/// `--max-scans`.
pub const MAX_SCANS: u32 = 64;
/// Most pixels x scans of a progressive JPEG: each scan passes over every coefficient, at about 100 million a second on
/// a slow core; this keeps a hostile file under two seconds. An 11-scan photo may have 18 megapixels. Setting:
/// `--max-scan-pixels`.
pub const MAX_SCAN_PIXELS: u64 = 200_000_000;
/// How many times each of these defaults a client takes where a server says that its own limit is as high, and nobody
/// has set the client's: a server may be raised without a word to every client, and one that lies still cannot take all
/// of a machine's memory.
pub const CLIENT_TRUST: u32 = 16;

/// Memory for all samples in flight on a server. Setting: `--memory`. What a process takes beside it is at most 256
/// MiB: code, tables of a million photos, what decoders keep between photos, and what HTTP/2 has of large samples (128
/// KiB for each stream).
pub const SAMPLE_MEMORY: ByteCount = ByteCount::mebibytes(1024);

/// Most servers that share one store: each asks all others every second. Setting: `--peers`.
pub const MAX_PEERS: usize = 64;
/// Most datasets, models and generations that a server names to the others: more than one process serves.
pub const MAX_INTRODUCED: usize = 1024;
/// Most samples that are asked of their home in one call: what they share then costs each of them little, and none
/// waits for many others.
pub const FORWARDED_SAMPLES: usize = 16;
/// Most bytes that several samples of such a call may have: a larger one goes alone.
pub const FORWARDED_BYTES: ByteCount = ByteCount::mebibytes(2);

/// Disk that the cache may take: as much as photos themselves do, 300,000 of 100 kB. A server of more is
/// given more. Setting: `--cache-ssd`.
pub const CACHE_SSD: ByteCount = ByteCount::mebibytes(32 * 1024);

/// The least memory of a cache that is not 0: a dozen photos.
pub const CACHE_LEAST: ByteCount = ByteCount::mebibytes(1);

/// Most bytes of a recipe: the longest in the box has 600.
pub const MAX_RECIPE_BYTES: usize = 16 * 1024;
/// Most stages of a recipe: the grammar has 7 places.
pub const MAX_RECIPE_STAGES: usize = 16;
/// Largest output side of a recipe, in pixels: four times what networks in use take.
pub const MAX_OUTPUT_SIDE: u32 = 4096;

/// Most bytes of a configuration file: every setting of every program, each at its longest, is a hundredth of it.
pub const MAX_CONFIG_BYTES: usize = 1024 * 1024;

/// Most bytes of a sample key: what S3 allows.
pub const MAX_KEY_BYTES: usize = 1024;
/// Most characters of a dataset, model or recipe name: they appear in metrics and file names.
pub const MAX_NAME_BYTES: usize = 64;
/// Most samples in one catalog: an index must fit in 32 bits there, and nobody has shown a larger partition.
pub const MAX_SAMPLES: u64 = u32::MAX as u64;
/// Most classes in one catalog; folder names are held in memory and sent whole.
pub const MAX_CLASSES: usize = 65_536;
/// Most fields of a dataset: a table of attributes as CelebA's has 40, and each takes at least a byte of every record.
pub const MAX_FIELDS: usize = 64;
/// Most bytes of a field's name: names of columns, which appear in every description.
pub const MAX_FIELD_NAME_BYTES: usize = 128;
/// Most bytes of a sample's fields together: a caption of a page, or 8,000 numbers. A catalog holds them in memory.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;
/// Most bytes of a labels file: 10 million rows with a caption each have a third of it.
pub const MAX_LABELS_BYTES: ByteCount = ByteCount::mebibytes(4096);
/// Most bytes of one row of a labels file: a record of fields at its longest, each byte escaped, and a key. A quote
/// that is not closed would make one row of the rest of a file.
pub const MAX_LABELS_ROW_BYTES: usize = 512 * 1024;
/// Samples of a listing, chosen by hash, that a server names to others ([`crate::listing::Sketch`]): if a twentieth of
/// two listings is the same, 64 see it in 96 of 100 cases; 512 bytes in a description.
pub const LISTING_SKETCH: usize = 64;
/// Threads that list a folder: enough to hide the latency of a network disk; a local one is limited by the kernel.
pub const LISTING_THREADS: usize = 8;
/// Directory entries that one listing thread hands to another at once: a lock for each would cost more than its stat.
pub const LISTING_BATCH: usize = 512;
/// Batches that wait for a listing thread; past this, the thread that found one works on it itself.
pub const LISTING_BACKLOG: usize = 64;

/// Names of a folder that are looked at to see what kind of dataset it is, where no photo is among them: ten pages of a
/// bucket.
pub const LEVEL_NAMES: usize = 10_000;
/// Folders of a place that are looked into for the same reason: each is a request to a bucket.
pub const LEVEL_FOLDERS: usize = 16;
/// Links to folders that are followed on the way to one photo: a tree of links into each other would have no end.
pub const NESTED_LINKS: usize = 8;
/// Names that the braces of one dataset's place may stand for: LAION-5B has 231,349 shards; some 50 MB of paths.
pub const MAX_BRACE_NAMES: usize = 1 << 18;

/// Names that a listing gives of what it left out, for each reason: enough to find the cause, few enough for a line.
pub const LISTED_NAMES: usize = 5;
/// Suffixes by which files that are no photos are counted: folders with more have numbers in that place.
pub const LISTED_SUFFIXES: usize = 32;

/// Tar files of a folder that are indexed side by side: as many as keep the cores and a disk busy.
pub const TAR_SHARDS_LOCAL: usize = 8;
/// Tar files of a bucket that are indexed side by side: each waits for a request of at most 4 MiB at a time.
pub const TAR_SHARDS_REMOTE: usize = 16;

/// Keys in one page of an S3 listing: the most that S3 answers.
pub const S3_PAGE_KEYS: usize = 1_000;
/// Class folders of a bucket that are listed at once: a page takes about 0.1 s, whoever asks.
pub const S3_LISTINGS: usize = 16;
/// Most bytes of one page of an S3 listing: 1,000 keys of 1,024 bytes, each byte written as a character reference, and
/// what stands around them, are 8 MiB.
pub const S3_PAGE_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of an answer that an error shows.
pub const S3_SHOWN_BYTES: usize = 160;
/// Tries that a store has in hand, before those that its answers earn: enough for a short fault of all reads at once.
pub const S3_TRIES_IN_HAND: f64 = 10.0;
/// Tries that one answer earns. With the first tries and those in hand a store is asked at most 2.5 times for what it
/// gives.
pub const S3_TRIES_EARNED: f64 = 1.5;
/// Tries a second that are granted to a store that answers nothing, so that its return is noticed.
pub const S3_TRIES_A_SECOND: f64 = 0.5;
/// Share of reads that may be asked for a second time because they are slow: a store that is slow for all is not asked
/// twice.
pub const S3_HEDGED: f64 = 0.05;
/// Share of answers to calls that may be asked of a second server because the first is slow, where hedging is on.
pub const CALLS_HEDGED: f64 = 0.01;
/// Failed tries of one object, at least, before it is held to be hopeless: of one that comes byte by byte there is no
/// time for more.
pub const S3_HOPELESS_TRIES: u32 = 2;
/// Tries of a listing that is answered with something else, such as a page of HTML. A fault on the way passes, a wrong
/// address never does.
pub const S3_GARBLED_PAGES: u32 = 4;
/// Tries of an object that is answered with something else, where the listing has shown that the address is right. A
/// network that spoils a third of all answers spoils this many in a row for one object of 200,000.
pub const S3_GARBLED_OBJECTS: u32 = 10;

/// Most classes of what labels photos: models of landmarks have 203,094. Counts by class are held in memory.
pub const MAX_LABEL_CLASSES: usize = 1 << 18;
/// Most bytes of the names of these classes together: 64 for each.
pub const MAX_LABELLER_BYTES: usize = 16 << 20;
/// Most labels that are kept of a photo: more is a table of scores, and no answer.
pub const MAX_TOP_K: usize = 64;
/// Rows of labels that lie in one block: its bytes are then those of a few pages, and a row's number is a byte.
pub const LABEL_BLOCK_ROWS: usize = 256;
/// Most samples of a dataset that one answer says of whether they are to be labelled: a bit each, and 1 MiB together.
pub const LABELLING_PAGE: u64 = 8_388_608;
/// Memory for pages of the label index: what is asked often is held by its callers, as columns.
pub const LABEL_INDEX_CACHE: ByteCount = ByteCount::mebibytes(16);
/// Most runs of labels in one index: a look at them reads each one's record.
pub const MAX_LABEL_RUNS: usize = 4096;
/// Most records of labelling jobs in one index.
pub const MAX_LABEL_JOBS: usize = 4096;
/// Most bytes of such a record.
pub const MAX_LABEL_JOB_BYTES: usize = 64 * 1024;
/// Most bytes of such a job's id.
pub const MAX_LABEL_JOB_ID_BYTES: usize = 256;
/// Broken label indices that are kept beside the one in use. A disk that breaks each new one must not be filled.
pub const LABEL_INDICES_ASIDE: usize = 4;

/// Most bytes of an ONNX file: the format itself ends at 2 GiB, where protobuf does.
pub const MAX_MODEL_BYTES: ByteCount = ByteCount::new(2_147_483_647);

/// Most names of which a server keeps versions.
pub const MAX_MODEL_NAMES: usize = 1024;
/// Most versions of one name that a server lists: the most of `--model-versions`, and those that serve.
pub const MAX_HELD_MODELS: usize = 1024;
/// Most bytes of the record of all versions: some hundred bytes for each, and the names of its classes where those were
/// pushed with it.
pub const MAX_MODEL_RECORD: usize = 64 << 20;
/// Broken records that are kept beside the one in use.
pub const MODEL_RECORDS_ASIDE: usize = 4;
/// Differences that are kept for servers that fetch them: they are made anew where they are gone.
pub const MODEL_OFFERS: usize = 4;
/// Most bytes of one piece of a model on its way: it fits into [`MAX_REQUEST`], and is held in memory.
pub const MAX_MODEL_PIECE: usize = 4 << 20;
/// Most bytes of all models that have come in part: two of the largest.
pub const MAX_PARTIAL_MODELS: ByteCount = ByteCount::new(2 * MAX_MODEL_BYTES.get() + (16 << 20));
/// Most models that have come in part: all are looked at whenever a transfer begins. Beyond them the one goes of which
/// nothing came for longest.
pub const MAX_PARTIALS: usize = 64;
/// Time after which a model of which nothing more came is dropped: a push that was stopped in the evening goes on in
/// the morning.
pub const MODEL_TRANSFER_IDLE: Duration = Duration::from_secs(24 * 3600);

/// Most operators of an ONNX model, its subgraphs and functions included: the largest in use has a few ten thousand.
pub const MAX_MODEL_NODES: usize = 1_000_000;
/// Deepest nesting of graphs in an ONNX model: exporters nest control flow two or three deep.
pub const MAX_MODEL_DEPTH: usize = 16;
/// Most tensors at which a network is cut: more are seldom fewer bytes, and each is one of its own on the wire.
pub const MAX_CUT_TENSORS: usize = 4;
/// Most bytes of a tensor's name: exporters write paths of modules, some hundred bytes long.
pub const MAX_TENSOR_NAME_BYTES: usize = 1024;
/// Fronts of cut networks that a server holds open, each with weights of its own.
pub const MAX_OPEN_FRONTS: usize = 4;
/// Most inputs and most outputs of an ONNX model, and most entries of its other lists that are kept in memory.
pub const MAX_MODEL_PORTS: usize = 65_536;
/// Most parts that a delta puts a model together from: two or three for each tensor, of which the largest models in use
/// have some thousand. They are held in memory.
pub const MAX_DELTA_PARTS: usize = 262_144;
/// Most weights of a classifier head: with the optimiser's moments and gradients 4 GiB, and the head half of
/// [`MAX_MODEL_BYTES`].
pub const MAX_HEAD_WEIGHTS: usize = 1 << 28;

/// Most trainings that a server holds at a time.
pub const MAX_TRAININGS: usize = 16;
/// Most servers that train one head together.
pub const MAX_WORKERS: usize = 1024;

/// Bytes of samples after which a batch on the wire is closed: large enough to hide per-message cost, small enough that
/// a slow reader holds little, and that a batch is still in the core's cache when it is sent: with 4 MiB, crops of
/// small photos took a third more CPU.
pub const BATCH_BYTES: ByteCount = ByteCount::new(256 << 10);
/// What a message takes beside the payload of its last sample: those before it, at most [`BATCH_BYTES`], and the key
/// and failure of each of a thousand.
pub const MESSAGE_ENVELOPE: ByteCount = ByteCount::mebibytes(4);
/// Largest message of any server: gRPC counts its bytes in 32 bits. A sample whose payload does not fit is refused
/// alone.
pub const MAX_MESSAGE: ByteCount = ByteCount::new(u32::MAX as u64);
/// Largest request: 4 million indices as varints, or their per-sample cuts.
pub const MAX_REQUEST: ByteCount = ByteCount::mebibytes(32);
/// Most samples in one call: a client asks again for the rest.
pub const MAX_SAMPLES_PER_CALL: usize = 1_048_576;

/// Most losses in one report: a client tells in several. Their keys, at their longest, still fit into [`MAX_REQUEST`].
pub const MAX_LOSSES_PER_CALL: usize = 16_384;

/// Most jobs of a generation of a dataset that announce or report at a time: each takes a bit for each sample, and 4
/// bytes where it reports losses. A server of more is asked for more.
pub const MAX_JOBS: usize = 64;
/// Most ranks of a job that announce for themselves: each takes some 50 bytes.
pub const MAX_ANNOUNCED_RANKS: usize = 16_384;
/// Most samples that an epoch which has not all of them is announced with: 8 bytes each in a server. ImageNet's 1.28
/// million are announced without a list.
pub const MAX_ANNOUNCED_CHOICE: usize = 1 << 20;
/// Most of the samples that may be of low importance, so that others are given in their places: half. What is above the
/// middle is not low.
pub const MOST_SUBSTITUTED: f64 = 0.5;
/// Most samples of which a job says in one call that others are given in their place: a client tells in several.
pub const MAX_REPLACED_PER_CALL: usize = 65_536;
/// Most bytes of a package, which is samples of low importance that are read at once: large enough that a store's
/// latency does not count, small enough that the memory of those who work in the background holds several.
pub const PACKAGE_BYTES: ByteCount = ByteCount::mebibytes(4);
/// Most bytes between two samples of a package, which are read and dropped: another request would take as long.
pub const PACKAGE_GAP: ByteCount = ByteCount::new(256 << 10);
/// Samples in whose places others are given, for each one that is brought in a package: so of those that are left out
/// half is read all the same, so that it is not always the same samples that are given instead.
pub const REPLACED_PER_PACKAGED: u64 = 2;
/// Samples from which packages may begin, and that wait for their turn: of more the oldest are forgotten.
pub const MAX_PACKAGES_WAITING: usize = 4096;
/// Samples that a server reads ahead at a time: enough to hide the latency of a store, few enough that what a client
/// asks for stands behind few.
pub const PREFETCH_READS: usize = 16;
/// Longest lease of a job: a job that says nothing for so long is gone.
pub const MAX_LEASE: Duration = Duration::from_secs(3_600);

/// Most samples of a profile or a plan: 64 million take a planner about 11 GB at eight ways; who has more plans parts
/// of them.
pub const MAX_PROFILE_SAMPLES: u64 = 1 << 26;
/// Most servers of a profile or a plan: each is a price to be found, and partitions are far larger than this is small.
pub const MAX_PROFILE_SERVERS: usize = 256;
/// Most bytes of a plan file: a line for each of a million samples has about 10.
pub const MAX_PLAN_BYTES: usize = 1 << 30;
/// Most bytes of a plan's head, and of a profile's provenance: servers and resources, a recipe.
pub const MAX_PLAN_HEAD_BYTES: usize = 1 << 20;

/// Most threads of one pool. More than any machine has cores: a slip of the finger, such as 100000, would use up the
/// process's memory for stacks, and end it without a word.
pub const MAX_THREADS: usize = 1024;

/// Longest token that is shown with a call: an identity provider's grow with the groups of their holder, and a
/// request's headers have 16 KiB in all.
pub const MAX_TOKEN: usize = 8192;
/// How often an identity provider is asked for its keys, so that one that is rotated out is refused within a minute.
/// Setting: `--oidc-refresh`.
pub const OIDC_REFRESH: Duration = Duration::from_secs(30);
/// How long an identity provider's keys are trusted while it cannot be reached: longer than a restart or an update of
/// it takes, and no longer than most tokens live. Setting: `--oidc-keep-keys`.
pub const OIDC_KEEP_KEYS: Duration = Duration::from_secs(3600);
/// Least time between two questions to an identity provider, whoever shows tokens of keys that are not known.
pub const OIDC_AGAIN: Duration = Duration::from_secs(2);
/// Time in which an identity provider has to answer a question whole; there are two, for where its keys are and for
/// the keys.
pub const OIDC_ANSWER: Duration = Duration::from_secs(5);
/// Most bytes of a document of an identity provider: a hundred keys with certificates take about as many.
pub const OIDC_DOCUMENT: usize = 256 << 10;
/// Most keys of an identity provider: there are two or three while keys are rotated.
pub const OIDC_KEYS: usize = 64;
/// By how much the clocks of an identity provider and a server may differ.
pub const OIDC_LEEWAY: Duration = Duration::from_secs(30);
/// Tokens whose signatures were checked and are remembered until they expire, twice over: a rank has one or two.
pub const OIDC_VERIFIED: usize = 2048;
