//! Compiles `proto/` without a system `protoc`.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let proto = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", proto.display());
    let files = std::fs::read_dir(proto.join("headwater/v1"))?.map(|file| Ok(file?.path()));
    let mut files = files.collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    let descriptors = protox::compile(files, [&proto])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("headwater.v1.bin"), prost::Message::encode_to_vec(&descriptors))?;
    // `bytes::Bytes` for payloads: decoding a message then shares its buffer instead of copying each sample out of it.
    tonic_prost_build::configure().bytes(".").codec_path("crate::MessageCodec").compile_fds(descriptors)?;
    Ok(())
}
