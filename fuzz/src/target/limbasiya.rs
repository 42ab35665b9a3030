//! What the five phases of Limbasiya et al. send, and the card that is stored.

use chacha20::ChaCha8Rng;
use protocol::limbasiya::{
    Applicant, Application, Card, Centre, Draft, Issued, JoinRequest, Joined, PasswordChange,
    Reply, Request, Rows, RowsRequest, Word,
};
use protocol::suite::Message;
use protocol::wu::{Password, PatientId};
use protocol::{Malformed, Secret, Timestamp};
use rand_core::SeedableRng as _;

use super::{Target, canonical};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
/// Its whole seconds.
const T: u64 = 1_800_000_000;

/// One message of each kind, as honest people make them.
struct Samples {
    join: JoinRequest,
    joined: Joined,
    application: Application,
    issued: Issued,
    change: PasswordChange,
    rows: Rows,
    card: Card,
}

impl Samples {
    fn new() -> Result<Self, Malformed> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut centre = Centre::new(Secret::new([9; 32]), [], []);
        let id = Word::parse(b"clinic-a")?;
        let applicant = Applicant {
            id: id.clone(),
            loc: Word::parse(b"Goa")?,
            password: Password::parse(b"of a server")?,
            nonce: Secret::new([5; 16]),
        };
        let join = applicant.request();
        let Ok(joined) = centre.register_server(&join, NOW) else {
            unreachable!("it is the first server")
        };
        let typed = || PatientId::parse(b"synthetic");
        let draft = Draft::new(typed()?, Password::parse(b"tulip")?, &mut rng);
        let application = draft.application();
        let Ok(issued) = centre.register_user(&application, &mut rng) else {
            unreachable!("she is the first user")
        };
        let card = draft.card(&issued);
        let Ok(unlocked) = card.unlock(typed()?, Password::parse(b"tulip")?) else {
            unreachable!("it is her password")
        };
        let (change, _) = unlocked.change(Password::parse(b"rose")?, NOW);
        let Ok(rows) = centre.rows(&RowsRequest { id, t: T }, NOW) else {
            unreachable!("the server is registered")
        };
        Ok(Self {
            join,
            joined,
            application,
            issued,
            change,
            rows,
            card,
        })
    }
}

/// Those of this suite.
pub(super) fn targets() -> Vec<Target> {
    let (Ok(samples), Ok(server)) = (Samples::new(), Word::parse(b"clinic-a")) else {
        unreachable!("the texts are short")
    };
    let request = Request {
        server: server.clone(),
        alpha: [1; 32],
        beta: [2; 32],
        t1: T,
    };
    let reply = Reply {
        gamma: vec![3; 35],
        sigma: [4; 32],
        t2: T,
    };
    let asks = RowsRequest { id: server, t: T };
    let card = samples.card.encode().to_vec();
    vec![
        message::<JoinRequest>("limbasiya/server registration", &samples.join),
        message::<Joined>("limbasiya/answer to a server", &samples.joined),
        message::<Application>("limbasiya/user registration", &samples.application),
        message::<Issued>("limbasiya/answer to a user", &samples.issued),
        message::<Request>("limbasiya/request", &request),
        message::<Reply>("limbasiya/reply", &reply),
        message::<PasswordChange>("limbasiya/password update", &samples.change),
        message::<RowsRequest>("limbasiya/database update", &asks),
        message::<Rows>("limbasiya/table", &samples.rows),
        Target::bytes("limbasiya/card", vec![card], |bytes| {
            let read = Card::parse(bytes).ok();
            canonical(bytes, read.map(|it| it.encode().to_vec()))
        }),
    ]
}

/// A message has one encoding.
fn message<M: Message>(name: &'static str, sample: &M) -> Target {
    Target::bytes(name, vec![sample.encode()], |bytes| {
        canonical(bytes, M::parse(bytes).ok().map(|it| it.encode()))
    })
}
