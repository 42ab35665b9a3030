//! Claims about the node's parts together: real sockets, real files, real signatures.

#[cfg(test)]
mod admission;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod authenticate;
#[cfg(test)]
mod backup;
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
mod doctor;
#[cfg(test)]
mod epochs;
#[cfg(test)]
mod executor;
#[cfg(test)]
mod four_nodes;
#[cfg(test)]
mod http;
#[cfg(test)]
mod inspect;
#[cfg(test)]
mod limbasiya;
#[cfg(test)]
mod mempool;
#[cfg(test)]
mod pitfalls;
#[cfg(test)]
mod ports;
#[cfg(test)]
mod proofs;
#[cfg(test)]
mod rejoin;
#[cfg(test)]
mod research_ledger;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod secrets_aidc1;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod storage;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod under_way;
#[cfg(test)]
mod upgrade;
#[cfg(test)]
mod votelog;
