//! `--max-...` of programs that fetch: what a photo may be here, whatever a server serves.

use clap::Args;
use headwater_types::{ByteCount, ImageLimits};

use crate::values::{pixels, scans, side, some_bytes};

/// A client's own limits of one photo: flatten this into the arguments of whatever fetches. What is not given is as
/// each server says.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct LimitArgs {
    /// Longest side of a photo, in pixels [default: as each server says, up to 16 times its own default]
    #[arg(long, value_name = "PIXELS", value_parser = side, help_heading = "Limits")]
    max_dimension: Option<u32>,

    /// Most pixels of a photo [default: as each server says, up to 16 times its own default]
    #[arg(long, value_name = "PIXELS", value_parser = pixels, help_heading = "Limits")]
    max_pixels: Option<u64>,

    /// Most bytes of a stored photo [default: as each server says, up to 16 times its own default]
    #[arg(long, value_name = "SIZE", value_parser = some_bytes, help_heading = "Limits")]
    max_object_bytes: Option<ByteCount>,

    /// Most memory that one photo may take, and most bytes that one sample may have on the wire [default: as each
    /// server says, up to 16 times its own default]
    #[arg(long, value_name = "SIZE", value_parser = some_bytes, help_heading = "Limits")]
    max_sample_memory: Option<ByteCount>,

    /// Most scans of a progressive JPEG [default: as each server says, up to 16 times its own default]
    #[arg(long, value_name = "SCANS", value_parser = scans, help_heading = "Limits")]
    max_scans: Option<u32>,

    /// Most pixels x scans of a progressive JPEG [default: as each server says, up to 16 times its own default]
    #[arg(long, value_name = "PIXELS", value_parser = pixels, help_heading = "Limits")]
    max_scan_pixels: Option<u64>,
}

// === impl LimitArgs ===

impl LimitArgs {
    /// The client's own limits.
    pub fn limits(&self) -> ImageLimits {
        let most = ImageLimits::of_clients();
        ImageLimits {
            max_dimension: self.max_dimension.unwrap_or(most.max_dimension),
            max_pixels: self.max_pixels.unwrap_or(most.max_pixels),
            max_object: self.max_object_bytes.unwrap_or(most.max_object),
            max_sample_memory: self.max_sample_memory.unwrap_or(most.max_sample_memory),
            max_scans: self.max_scans.unwrap_or(most.max_scans),
            max_scan_pixels: self.max_scan_pixels.unwrap_or(most.max_scan_pixels),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use headwater_types::caps::CLIENT_TRUST;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        limits: LimitArgs,
    }

    fn limits(arguments: &[&str]) -> ImageLimits {
        Line::try_parse_from(["line"].iter().chain(arguments)).unwrap().limits.limits()
    }

    #[test]
    fn what_is_not_given_is_as_servers_say_within_reason() {
        assert_eq!(limits(&[]), ImageLimits::of_clients());
        let some = limits(&["--max-pixels", "5", "--max-object-bytes", "1KiB"]);
        let own = ImageLimits { max_pixels: 5, max_object: ByteCount::new(1024), ..ImageLimits::of_clients() };
        assert_eq!(some, own);
        assert_eq!(CLIENT_TRUST, 16, "as the help says");
    }
}
