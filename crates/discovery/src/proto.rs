//! Generated from `proto/etcd.proto`: see there.

#![expect(unreachable_pub, clippy::allow_attributes_without_reason, reason = "generated")]

tonic::include_proto!("etcdserverpb");
