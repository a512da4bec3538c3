//! Compiles `proto/` without a system `protoc`.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let proto = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", proto.display());
    let descriptors = protox::compile(["headwater/v1/storage.proto"], [&proto])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("headwater.v1.bin"), prost::Message::encode_to_vec(&descriptors))?;
    // `bytes::Bytes` for payloads: decoding a message then shares its buffer instead of copying each sample out of it.
    tonic_prost_build::configure().bytes(".").codec_path("crate::MessageCodec").compile_fds(descriptors)?;
    Ok(())
}
