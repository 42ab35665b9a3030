//! Ports for nodes that stop and come back: outside the range from which the system gives ports to others meanwhile.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Below the system's own range, above what devnets use.
const RANGE: Range<u16> = 25_000..32_000;

/// Free ports of this machine, none of which another test of this process gets.
pub(crate) fn free(count: usize) -> Vec<SocketAddr> {
    static DRAWN: AtomicUsize = AtomicUsize::new(0);
    // Two runs at once begin far from each other.
    let start = usize::try_from(std::process::id()).unwrap();
    let from_here = || RANGE.cycle().skip(start.checked_rem(RANGE.len()).unwrap());
    std::iter::repeat_with(|| DRAWN.fetch_add(1, Ordering::Relaxed))
        .take_while(|drawn| *drawn < RANGE.len())
        .filter_map(|drawn| from_here().nth(drawn))
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .filter(|address| TcpListener::bind(address).is_ok())
        .take(count)
        .collect()
}
