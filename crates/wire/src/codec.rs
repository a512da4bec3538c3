//! Messages as bytes: protobuf, into a buffer that is large enough from the start.
//!
//! Why not tonic's own: it begins with 8 KiB and grows as samples are put in, and so allocates, and copies, a message
//! of a megabyte several times.

use std::marker::PhantomData;

use prost::Message;
use tonic::Status;
use tonic::codec::{Codec, EncodeBuf, Encoder};
use tonic_prost::{ProstCodec, ProstDecoder};

/// What the generated code encodes and decodes with.
#[derive(Debug)]
pub struct MessageCodec<T, U>(ProstCodec<T, U>);

/// Encodes messages.
#[derive(Debug)]
pub struct MessageEncoder<T>(PhantomData<T>);

// === impl MessageCodec ===

impl<T, U> Default for MessageCodec<T, U> {
    fn default() -> Self {
        Self(ProstCodec::default())
    }
}

impl<T, U> Codec for MessageCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = MessageEncoder<T>;
    type Decoder = ProstDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        MessageEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        self.0.decoder()
    }
}

// === impl MessageEncoder ===

impl<T: Message> Encoder for MessageEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, message: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(message.encoded_len());
        message.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}
