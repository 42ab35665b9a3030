//! What `/metrics` shows. Labels are bounded by the consortium's size: no peer ids, AIDs, addresses or hashes.

mod process;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::{fmt, sync::atomic::AtomicU64};

/// A gauge with fractions.
pub type Level = Gauge<f64, AtomicU64>;

/// Label of a member.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Member {
    /// Its name.
    pub member: String,
}

/// Label of a reason from a fixed list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    /// The reason.
    pub reason: &'static str,
}

/// Labels of frames.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Frames {
    /// `consensus`, `transaction`, `ping`, `pong`.
    pub kind: &'static str,
    /// `in` or `out`.
    pub direction: &'static str,
}

/// Labels of executed transactions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Executed {
    /// Kind of call.
    pub kind: &'static str,
    /// `ok` or `refused`.
    pub result: &'static str,
}

/// Labels of sign-ins.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Attempt {
    /// `ok` or `refused`.
    pub result: &'static str,
    /// Why refused, from a fixed list.
    pub reason: &'static str,
}

/// Label of a step of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Step {
    /// The step.
    pub step: &'static str,
}

/// Label of a result from a fixed list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Outcome {
    /// `ok` or `refused`.
    pub result: &'static str,
}

/// Labels of HTTP requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Request {
    /// The matched route's pattern, never the path asked for.
    pub route: String,
    /// The status code.
    pub code: u16,
}

/// Labels of the binary.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Build {
    /// The version of the program.
    pub version: &'static str,
    /// The newest protocol version it speaks.
    pub protocol: u16,
}

/// A family of histograms with one constructor.
type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Every metric of the node. Each field is a handle to shared numbers.
#[derive(Clone)]
pub struct Metrics {
    /// The binary's versions.
    pub build: Family<Build, Gauge>,
    /// Newest executed height.
    pub height: Gauge,
    /// Current view.
    pub view: Gauge,
    /// View changes by reason.
    pub view_changes: Family<Reason, Counter>,
    /// Seconds from the acceptance of a block's proposal here to its certificate here.
    pub commit_latency: Histogram,
    /// Seconds per phase: `prepare`, `commit`, `execute`.
    pub phase_duration: Histograms<Step>,
    /// Members missing to a quorum, 0 when there is one.
    pub quorum_missing: Gauge,
    /// 1 for each member whose vote the oldest open block lacks while nothing moves.
    pub vote_awaited: Family<Member, Gauge>,
    /// No vote is given at or below this height.
    pub low_water_mark: Gauge,
    /// No vote is given above this height.
    pub high_water_mark: Gauge,
    /// Unix time of each member's newest frame.
    pub last_vote: Family<Member, Level>,
    /// Newest certified height.
    pub checkpoint_height: Gauge,
    /// Connected members, without this one.
    pub peers: Gauge,
    /// Clock differences by member.
    pub clock_skew: Family<Member, Level>,
    /// Frames by kind and direction.
    pub frames: Family<Frames, Counter>,
    /// Octets by kind and direction.
    pub frame_bytes: Family<Frames, Counter>,
    /// Frames of peers that were refused, by reason.
    pub refused_frames: Family<Reason, Counter>,
    /// Frames dropped because a peer was absent or its queue full.
    pub dropped_frames: Family<Reason, Counter>,
    /// Transactions waiting.
    pub mempool_transactions: Gauge,
    /// Their octets.
    pub mempool_bytes: Gauge,
    /// Octets of the store on disk.
    pub storage_size: Gauge,
    /// Seconds per flush of the store.
    pub storage_flush: Histogram,
    /// Seconds per flush of the vote log.
    pub vote_flush: Histogram,
    /// Executed transactions by kind and result.
    pub transactions: Family<Executed, Counter>,
    /// Sign-ins by result and reason.
    pub auth_attempts: Family<Attempt, Counter>,
    /// Seconds per step of a sign-in.
    pub auth_duration: Histograms<Step>,
    /// Registrations by result.
    pub registrations: Family<Outcome, Counter>,
    /// Seconds per HTTP request by route and code.
    pub requests: Histograms<Request>,
}

/// Buckets from 50 µs to 26 s, four per decade and finer than a factor of two.
fn seconds() -> Histogram {
    Histogram::new(prometheus_client::metrics::histogram::exponential_buckets(
        0.000_05, 1.6, 28,
    ))
}

impl Metrics {
    /// All metrics at zero.
    pub fn new(protocol: u16) -> Self {
        let metrics = Self {
            build: Family::default(),
            height: Gauge::default(),
            view: Gauge::default(),
            view_changes: Family::default(),
            commit_latency: seconds(),
            phase_duration: Family::new_with_constructor(seconds),
            quorum_missing: Gauge::default(),
            vote_awaited: Family::default(),
            low_water_mark: Gauge::default(),
            high_water_mark: Gauge::default(),
            last_vote: Family::default(),
            checkpoint_height: Gauge::default(),
            peers: Gauge::default(),
            clock_skew: Family::default(),
            frames: Family::default(),
            frame_bytes: Family::default(),
            refused_frames: Family::default(),
            dropped_frames: Family::default(),
            mempool_transactions: Gauge::default(),
            mempool_bytes: Gauge::default(),
            storage_size: Gauge::default(),
            storage_flush: seconds(),
            vote_flush: seconds(),
            transactions: Family::default(),
            auth_attempts: Family::default(),
            auth_duration: Family::new_with_constructor(seconds),
            registrations: Family::default(),
            requests: Family::new_with_constructor(seconds),
        };
        let build = Build {
            version: env!("CARGO_PKG_VERSION"),
            protocol,
        };
        metrics.build.get_or_create(&build).set(1);
        metrics
    }

    /// The page of `/metrics`.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        encode(&mut page, &self.registry())?;
        Ok(page)
    }

    /// All metrics under their names.
    fn registry(&self) -> Registry {
        let mut all = Registry::default();
        all.register_collector(Box::new(process::Process));
        let ours = all.sub_registry_with_prefix("aidchain");
        ours.register("build_info", "The binary", self.build.clone());
        self.register_consensus(ours);
        self.register_network(ours);
        self.register_ledger(ours);
        self.register_service(ours);
        all
    }

    /// Names of what orders.
    fn register_consensus(&self, registry: &mut Registry) {
        let consensus = registry.sub_registry_with_prefix("consensus");
        consensus.register("height", "Newest executed height", self.height.clone());
        consensus.register("view", "Current view", self.view.clone());
        consensus.register(
            "view_changes",
            "View changes by reason",
            self.view_changes.clone(),
        );
        consensus.register(
            "commit_latency_seconds",
            "From the acceptance of a proposal to its certificate, at this node",
            self.commit_latency.clone(),
        );
        consensus.register(
            "phase_duration_seconds",
            "Duration of the phases of a slot",
            self.phase_duration.clone(),
        );
        consensus.register(
            "quorum_missing",
            "Members missing to a quorum",
            self.quorum_missing.clone(),
        );
        consensus.register(
            "vote_awaited",
            "1 while the oldest open block lacks this member's vote and nothing moves",
            self.vote_awaited.clone(),
        );
        consensus.register(
            "low_water_mark",
            "No vote is given at or below this height",
            self.low_water_mark.clone(),
        );
        consensus.register(
            "high_water_mark",
            "No vote is given above this height",
            self.high_water_mark.clone(),
        );
        consensus.register(
            "member_last_vote_timestamp_seconds",
            "Unix time of a member's newest frame",
            self.last_vote.clone(),
        );
        registry.register(
            "checkpoint_height",
            "Newest certified height",
            self.checkpoint_height.clone(),
        );
    }

    /// Names of what connects.
    fn register_network(&self, registry: &mut Registry) {
        let p2p = registry.sub_registry_with_prefix("p2p");
        p2p.register("peers", "Connected members", self.peers.clone());
        p2p.register(
            "peer_clock_skew_seconds",
            "A member's clock minus this one's",
            self.clock_skew.clone(),
        );
        p2p.register("messages", "Frames", self.frames.clone());
        p2p.register("bytes", "Octets of frames", self.frame_bytes.clone());
        p2p.register(
            "refused",
            "Frames refused by reason",
            self.refused_frames.clone(),
        );
        p2p.register(
            "dropped",
            "Frames not sent by reason",
            self.dropped_frames.clone(),
        );
    }

    /// Names of what stores and executes.
    fn register_ledger(&self, registry: &mut Registry) {
        registry.register(
            "mempool_transactions",
            "Transactions waiting",
            self.mempool_transactions.clone(),
        );
        registry.register(
            "mempool_bytes",
            "Octets waiting",
            self.mempool_bytes.clone(),
        );
        registry.register(
            "storage_size_bytes",
            "Octets on disk",
            self.storage_size.clone(),
        );
        registry.register(
            "storage_flush_duration_seconds",
            "Flushes of the ledger's store",
            self.storage_flush.clone(),
        );
        registry.register(
            "votelog_flush_duration_seconds",
            "Flushes of the vote log",
            self.vote_flush.clone(),
        );
        registry.register(
            "contract_transactions",
            "Executed transactions by kind and result",
            self.transactions.clone(),
        );
    }

    /// Names of what serves.
    fn register_service(&self, registry: &mut Registry) {
        registry.register(
            "auth_attempts",
            "Sign-ins by result",
            self.auth_attempts.clone(),
        );
        registry.register(
            "auth_duration_seconds",
            "Duration of the steps of a sign-in",
            self.auth_duration.clone(),
        );
        registry.register(
            "registrations",
            "Registrations by result",
            self.registrations.clone(),
        );
        registry.register(
            "api_request_duration_seconds",
            "HTTP requests by route and status",
            self.requests.clone(),
        );
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_carries_the_names_that_dashboards_use() {
        let metrics = Metrics::new(1);
        metrics
            .view_changes
            .get_or_create(&Reason { reason: "timer" })
            .inc();
        metrics.height.set(7);
        metrics
            .requests
            .get_or_create(&Request {
                route: "/v1/status".to_owned(),
                code: 200,
            })
            .observe(0.001);
        let page = metrics.render().unwrap();
        for line in [
            "aidchain_consensus_height 7",
            "aidchain_consensus_view_changes_total{reason=\"timer\"} 1",
            "aidchain_build_info{version=",
            "aidchain_api_request_duration_seconds_count{route=\"/v1/status\",code=\"200\"} 1",
            "process_resident_memory_bytes ",
            "process_cpu_seconds_total ",
        ] {
            assert!(page.contains(line), "{line} is missing in\n{page}");
        }
        assert!(page.ends_with("# EOF\n"));
    }
}
