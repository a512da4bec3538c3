//! OTLP's messages and its call, as they are generated: see `proto/trace.proto`.

#![expect(unreachable_pub, clippy::allow_attributes_without_reason, clippy::enum_variant_names, reason = "generated")]

tonic::include_proto!("opentelemetry.proto.collector.trace.v1");
