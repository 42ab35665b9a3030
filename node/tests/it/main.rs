//! Claims about the node's parts together: real sockets, real files, real signatures.

#[cfg(test)]
mod authenticate;
#[cfg(test)]
mod byzantine_peer;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod consortium;
#[cfg(test)]
mod damaged_store;
#[cfg(test)]
mod devnet;
#[cfg(test)]
mod divergence;
#[cfg(test)]
mod executor;
#[cfg(test)]
mod four_nodes;
#[cfg(test)]
mod http;
#[cfg(test)]
mod mempool;
#[cfg(test)]
mod research_ledger;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod storage;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod votelog;
