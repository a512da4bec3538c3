//! Makes test data on disk: `testdata photos`, `testdata extractor`, `testdata certificates`, `testdata hostile`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use headwater_testdata::{Authority, Extractor, PhotoSet, hostile};

#[derive(Parser)]
#[command(about = "Makes pictures, hostile files and an ONNX model for tests and demos")]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Photos in class folders
    Photos {
        /// Folder to write to
        #[arg(long)]
        out: PathBuf,
        /// Number of classes, 1 to 8
        #[arg(long, default_value_t = PhotoSet::default().classes)]
        classes: usize,
        /// Photos in each class
        #[arg(long, default_value_t = PhotoSet::default().per_class)]
        per_class: usize,
        /// Shortest side, in pixels
        #[arg(long, default_value_t = PhotoSet::default().min_side)]
        min_size: u32,
        /// Longest side, in pixels
        #[arg(long, default_value_t = PhotoSet::default().max_side)]
        size: u32,
        /// The same seed makes the same photos
        #[arg(long, default_value_t = PhotoSet::default().seed)]
        seed: u64,
    },
    /// A feature extractor, and its recipe beside it as FILE.toml
    Extractor {
        /// File to write to
        #[arg(long, value_name = "FILE.onnx")]
        out: PathBuf,
        /// The same seed makes the same weights
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Certificates: NAME.pem and NAME.key for a server on this machine and for a client, of an authority ca.pem
    Certificates {
        /// Folder to write to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Files that a server must survive, in DIR/data, and what their links point to, in DIR/outside
    Hostile {
        /// Folder to write to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Args::parse().what {
        What::Photos { out, classes, per_class, min_size, size, seed } => {
            let set = PhotoSet { seed, classes, per_class, min_side: min_size.min(size), max_side: size };
            println!("{} photos in {}", set.write(&out)?.len(), out.display());
        }
        What::Extractor { out, seed } => {
            let recipe = out.with_extension("toml");
            fs::write(&out, Extractor::onnx(seed)).with_context(|| format!("cannot write {}", out.display()))?;
            fs::write(&recipe, Extractor::RECIPE).with_context(|| format!("cannot write {}", recipe.display()))?;
            println!("{} with recipe {}", out.display(), recipe.display());
        }
        What::Certificates { out } => {
            let authority = Authority::new("Headwater's tests")?;
            authority.write(&out, "ca")?;
            authority.issue(&["localhost", "127.0.0.1", "::1"])?.write(&out, "server")?;
            authority.issue(&["client"])?.write(&out, "client")?;
            println!("ca.pem, server.pem, server.key, client.pem and client.key in {}", out.display());
        }
        What::Hostile { out } => println!("{} hostile files in {}", hostile::write(&out)?.len(), out.display()),
    }
    Ok(())
}
