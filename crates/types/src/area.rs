//! Sizes, positions and boxes in photos. Columns count from the left, rows from the top.

/// Width and height, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// The place of a pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Position {
    /// Columns left of the pixel.
    pub x: u32,
    /// Rows above the pixel.
    pub y: u32,
}

/// A box of whole pixels: left, top, width, height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PixelBox {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// A box that may lie between pixels: left, top, width, height, in pixels of the decoded photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RealBox {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

// === impl Size ===

impl Size {
    /// Width times height.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

// === impl PixelBox ===

impl PixelBox {
    /// The box of a whole photo.
    pub fn whole(size: Size) -> Self {
        Self { x: 0, y: 0, width: size.width, height: size.height }
    }

    /// The box's first pixel.
    pub fn origin(self) -> Position {
        Position { x: self.x, y: self.y }
    }

    /// The box's width and height.
    pub fn size(self) -> Size {
        Size { width: self.width, height: self.height }
    }

    /// Whether the whole box lies in a photo of this size.
    pub fn lies_in(self, photo: Size) -> bool {
        let ends = |start: u32, length: u32, side: u32| u64::from(start) + u64::from(length) <= u64::from(side);
        ends(self.x, self.width, photo.width) && ends(self.y, self.height, photo.height)
    }
}

impl From<PixelBox> for RealBox {
    fn from(b: PixelBox) -> Self {
        Self { x: b.x.into(), y: b.y.into(), width: b.width.into(), height: b.height.into() }
    }
}
