//! The table itself: one entry a code, in the order of the numbers.

use super::Exit;

macro_rules! codes {
    ($(#[doc = $title:literal] $name:ident = $number:literal, $exit:ident, help: $help:literal, page: $page:literal;)*) => {
        /// An error that a person can meet. The doc comment of a variant is its title.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// All codes of this version.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The digits after `AC`.
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The status of a process that ends with it.
            pub const fn exit(self) -> Exit {
                match self { $(Self::$name => Exit::$exit,)* }
            }

            /// What happened, in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }.trim_ascii()
            }

            /// The next step.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$name => $help,)* }
            }

            /// Why it happens and what it means.
            pub const fn page(self) -> &'static str {
                match self { $(Self::$name => $page,)* }
            }
        }
    };
}

codes! {
    /// a fault of this program
    Bug = 1, Bug, help: "run the command again with RUST_BACKTRACE=1 and report what it prints",
        page: "The program met a situation that its authors thought impossible. Nothing you typed is to blame. Data that was acknowledged is safe: the ledger is written before it is acknowledged.";
    /// the command was given wrongly
    Usage = 2, Usage, help: "add --help to the command to see its arguments and an example",
        page: "An argument is missing, unknown or malformed. Nothing was started and no file was changed.";
    /// a secret is needed and there is no terminal to ask on
    NoTerminal = 3, Usage, help: "pass --password-file FILE or --password-fd N (and --id-file or --id-fd)",
        page: "Secrets are never arguments, because every user of a machine can read arguments. They come from a file, from an open descriptor, or from a question on the terminal; here none of the three was there.";
    /// a file cannot be read
    CannotRead = 4, Usage, help: "check the path and that this user may read it",
        page: "The file named on the command line does not exist, is a folder, is too large, or belongs to somebody else.";
    /// a file cannot be written
    CannotWrite = 5, BadConfiguration, help: "check that the folder exists, that this user may write there and that the disk has room",
        page: "Files are written beside their place and moved into it when complete, so no half-written file was left behind.";
    /// a file or folder exists already
    FileExists = 6, Conflict, help: "choose another name, or move the old one away",
        page: "Commands that create files never write over old ones: an old card or key may be the only one of its kind.";
    /// stopped from outside
    Interrupted = 7, Interrupted, help: "run the command again",
        page: "The command received an interrupt. What the ledger had acknowledged stays; `ledger status` shows where it stands.";
    /// other users of this machine can read a secret file
    SecretTooOpen = 8, BadConfiguration, help: "chmod 600 FILE",
        page: "A file with a password, a card or a key must belong to its owner alone (mode 0600). The message names the file.";
    /// no such error or support code
    NoSuchCode = 9, NotFound, help: "check the spelling: error codes look like AC0107, support codes like AC-7F3K",
        page: "Support codes are known only where the refusal happened: a clinic's code at that clinic's node (--home), a terminal's own code on that terminal. Old ones are dropped when the log is full.";
    /// the risk of this command was not accepted
    RiskNotAccepted = 10, Usage, help: "read the named risk; then add --accept-risk=NAME",
        page: "Dangerous commands do nothing until their risk is named on the command line. No changes were made.";
    /// there is no folder for this user's data
    NoHomeFolder = 11, BadConfiguration, help: "set HOME or XDG_DATA_HOME, or pass --card FILE",
        page: "The card's usual place is the user's data folder, and the environment names none.";
    /// node.toml cannot be understood
    BadConfig = 101, BadConfiguration, help: "correct the line that the message names",
        page: "The node's configuration is read strictly: each value has one place and one form, and nothing is guessed.";
    /// node.toml holds a setting that does not exist
    UnknownSetting = 102, BadConfiguration, help: "correct the spelling, or remove the line",
        page: "A misspelt setting that is silently ignored is worse than a node that does not start. The message names the nearest existing setting.";
    /// a setting is out of its range
    BadSetting = 103, BadConfiguration, help: "correct the value that the message names",
        page: "Each setting has limits, so that a slip of the keyboard does not become an outage. The message states them.";
    /// the genesis file is not valid
    BadGenesis = 104, BadConfiguration, help: "fetch genesis.json again from the member that made it, and compare its SHA-256",
        page: "The genesis file is the root of all trust: its bytes are the chain's name. Unknown keys, duplicate keys and values out of range are refused.";
    /// the genesis file belongs to another ledger
    OtherGenesis = 105, BadConfiguration, help: "use the genesis.json of the ledger you mean; its SHA-256 is the chain id",
        page: "Two ledgers never share data. The message shows both chain ids.";
    /// the folder is not empty
    HomeNotEmpty = 106, Conflict, help: "choose a new folder, or empty this one yourself",
        page: "A command that creates keys never writes into a folder that holds something: it might be the only copy of a member's keys and votes.";
    /// cannot listen on an address: it is in use
    PortTaken = 107, BadConfiguration, help: "stop the process that holds it, or choose other ports with --base-port",
        page: "Each member needs four ports: peers, patients, members and operations. The message names the address, its use and, where the system tells, the process that holds it.";
    /// a key file is missing
    KeyMissing = 108, BadConfiguration, help: "restore the keys folder from where you keep it; a new member is made by: aidchain key init",
        page: "A member is its keys. They are never made again for an existing home, because the ledger knows the old ones.";
    /// a key file is damaged
    KeyCorrupt = 109, BadConfiguration, help: "restore the file from where you keep it",
        page: "A key file has a first line that names its kind and version, and then its hexadecimal bytes. This one does not.";
    /// other users of this machine can read a key file
    KeyTooOpen = 110, BadConfiguration, help: "chmod 600 FILE",
        page: "Whoever reads a member's key can vote in its name. The node does not start until the file belongs to its owner alone.";
    /// another node runs in this home
    HomeInUse = 111, Conflict, help: "stop it first, or use its own home for each node",
        page: "Two nodes with one key would contradict each other, and that is the one thing a member must never do.";
    /// the genesis file does not list this member
    NotAMember = 112, BadConfiguration, help: "check that genesis.json was made from this member's N.member.json",
        page: "A node runs only for a ledger that names its key. The message shows the key that was looked for.";
    /// a member file is not valid
    BadMemberFile = 113, BadConfiguration, help: "make it again there with: aidchain key init",
        page: "A member file holds public keys and addresses only, in one fixed form. Two members may share neither a name nor a key.";
    /// a node did not become ready in time
    NotReady = 114, NoQuorum, help: "read the end of node.log in its home",
        page: "The process was started but did not serve within the time allowed. The message names its log.";
    /// the folder is not the home of a node
    HomeIncomplete = 115, BadConfiguration, help: "make one with: aidchain consortium init --local, or aidchain key init and aidchain node adopt",
        page: "A home holds keys, node.toml, genesis.json and the vote log. Something of that is not there.";
    /// there is no devnet in this folder
    NoDevnet = 116, NotFound, help: "start one with: aidchain devnet up",
        page: "A local consortium keeps its process numbers and ports in devnet.json; there is none here.";
    /// the base port leaves no room for the other ports
    BadBasePort = 117, BadConfiguration, help: "choose a --base-port from 1024 to 63000",
        page: "Member i listens on B+i (peers), B+1000+i (patients), B+1100+i (members) and B+2000+i (operations).";
    /// a node process could not be started
    CannotStart = 118, BadConfiguration, help: "check that the binary can be run, and the log the message names",
        page: "The operating system refused to start the process, or it ended at once.";
    /// the TLS key or certificate cannot be used
    TlsUnusable = 119, BadConfiguration, help: "restore keys/tls.key and keys/tls.crt from where you keep them",
        page: "Every node serves patients over TLS with a key that the genesis file pins.";
    /// a node process did not stop in time
    CannotStop = 120, NoQuorum, help: "look at its log; its process number is in the message",
        page: "A node stops voting, writes what it holds and ends within five seconds of a polite request. This one did not, and it was left alone.";
    /// the stored ledger belongs to another genesis
    OtherStore = 201, BadConfiguration, help: "point --home at the right home, or move the ledger folder away",
        page: "The node found blocks of another chain in its home and refuses to mix them.";
    /// the stored ledger was written by a newer version
    NewerStore = 202, BadConfiguration, help: "use the newer binary again",
        page: "An old program must not guess at a newer format: it might destroy what it does not know.";
    /// the disk is full or cannot be written
    DiskFull = 203, BadConfiguration, help: "make room, then start the node again: nothing acknowledged is lost",
        page: "A node that cannot write its votes stops at once, because a vote that is not written down must not leave.";
    /// this member's votes are lost: it follows the ledger but signs nothing
    VotesLost = 204, BadConfiguration, help: "restore the votes folder if you still have the newest one; never one from a backup",
        page: "A member that forgets what it signed could contradict itself. Until the consortium lets it vote again, it serves reads as an observer.";
    /// this node's state differs from the certified one
    StateDiverged = 205, NotVerified, help: "keep the home as it is and call the maintainer",
        page: "Three of four members signed another state than this node computed. It signs nothing more, marks its answers as not trusted, writes both headers, the batch and what it wrote to a file in its home, and ends.";
    /// no quorum: too few members answer
    NoQuorum = 206, NoQuorum, help: "start the missing members; `aidchain ledger status` names them",
        page: "A change needs the agreement of a quorum. What was submitted stays queued until it expires; nothing is half done.";
    /// this binary lacks a contract version that the ledger has activated
    ContractMissing = 207, BadConfiguration, help: "install the newer binary and start the node again",
        page: "Members agreed on a newer rule at a height. A node that cannot follow it stops before that block.";
    /// the stored ledger is damaged
    StoreDamaged = 208, BadConfiguration, help: "start the node again, and if that does not help: `aidchain node repair`",
        page: "The store is a view of the log and can be made again; the node says so in one line when it does. `aidchain node repair` executes the blocks again, or asks the next start to take the ledger from the other members.";
    /// the vote log is damaged before its end
    VoteLogDamaged = 209, BadConfiguration, help: "restore the votes folder if you still have the newest one; never one from a backup",
        page: "A torn last record is normal after a power cut and is cut off. A bad record before the end means that votes may be missing, and then the node signs nothing.";
    /// the backup is damaged, or not one of this ledger
    BackupFalse = 210, NotVerified, help: "use another backup; without one, start the node: it takes the ledger from the other members",
        page: "Every part of a backup is checked against the ledger's own hashes and certificates before it is used. One false byte is enough to refuse it; nothing was changed.";
    /// there is nothing to back up yet
    NothingCertified = 211, NoQuorum, help: "wait until the ledger has a certified block: `aidchain ledger status` shows it",
        page: "A backup is of a block that a quorum certified. A ledger that was just founded has none.";
    /// this node does not keep that block any more
    BlockPruned = 212, NotFound, help: "ask a member that keeps all blocks: the message names those that this node knows of",
        page: "A node may be told to let old blocks go (`retain` in node.toml), and a node that joined by a snapshot never had them. Their hashes and the state stay; transactions and receipts are at members that keep all.";
    /// a vault of secrets is damaged
    VaultDamaged = 213, BadConfiguration, help: "move the file aside and start the node again; `aidchain explain AC0213` says what it held",
        page: "A vault is in no backup, so that what was erased stays erased; nothing on the ledger is lost with it. `epochs`: the node publishes a new key epoch. `evaluators`: this member evaluates nothing more for the patients whose shares it held until they change their passwords; the other members do. `patients`, at the registration centre: who enrolled before must come to the desk to change anything.";
    /// this node is not the registration centre
    NotTheCentre = 301, Refused, help: "use the address of the registration centre: `aidchain ledger status` shows the members",
        page: "Only the registration centre enrols patients. Any member signs them in.";
    /// this ledger does not offer that suite
    SuiteNotOffered = 302, Refused, help: "`aidchain ledger status` lists the suites of the ledger",
        page: "Suites are fixed by the genesis file and never negotiated, so that nobody can talk a client down to a weaker one.";
    /// this is a research ledger and its suite is insecure
    InsecureSuite = 303, Usage, help: "add: --suite wu-2021 --accept-risk=insecure-suite, or limbasiya-2020 in its place",
        page: "The schemes of Wu et al. 2021 and Limbasiya et al. 2020 are implemented as published, flaws included: the one sends biometrics in clear and writes identities in clear on the ledger, under the other every user can follow every other and one key serves all sessions. They are here to be studied with synthetic patients and run only when one is named and its risk is accepted.";
    /// an insecure suite never runs on a secure ledger
    SuiteOnSecureLedger = 304, Refused, help: "use a research ledger: aidchain devnet up --research",
        page: "Research ledgers are separate ledgers with their own genesis. Cards, identities and captures of one kind are refused by the other.";
    /// a capture file cannot be used
    BadCapture = 305, Usage, help: "pass a file of schema aidchain.capture/1, such as: aidchain research faces --seed 1 --out DIR makes",
        page: "A capture file names its modality and holds a template of 256 bytes in hexadecimal, or an embedding of 128 bytes, or both.";
    /// the three captures are too different from each other
    CapturesDiffer = 306, Refused, help: "take three captures again, with the same face and steady light",
        page: "Enrolment takes the majority of three captures. When they differ too much, later sign-ins would fail.";
    /// an ID or password has the wrong length
    BadIdentityText = 307, Usage, help: "an ID has 1 to 64 bytes, a password 1 to 256",
        page: "Both are UTF-8 text without control characters: an ID of 1 to 64 bytes, a password of 1 to 256, of 64 for the papers' suites. A line end after them is not part of them.";
    /// this profile has a card already
    CardExists = 308, Conflict, help: "choose another --profile, or move the old card away",
        page: "A card is the only copy of a credential and is never written over.";
    /// the registration is not on the ledger yet
    RegistrationPending = 309, NoQuorum, help: "wait for the missing members; then sign in with the same profile",
        page: "The centre accepted the identity and queued it. It stays queued for two minutes; the card is kept, and signing in shows whether it took.";
    /// the registration centre could not enrol this identity
    CannotEnrol = 310, Conflict, help: "ask its desk, and name the support code",
        page: "The text is the same whatever the reason, so that nobody learns from it who is enrolled. The centre resolves the support code.";
    /// the node's answer does not make sense
    BadAnswer = 311, NotVerified, help: "check that --node names a node of this ledger, then try again",
        page: "The answer was not of the form the protocol prescribes. Nothing was stored.";
    /// this version cannot enrol or sign in on a secure ledger yet
    SuiteNotBuilt = 312, Refused, help: "use a research ledger for now: aidchain devnet up --research",
        page: "The suite for secure ledgers is not part of this version, and an insecure one is never used in its place.";
    /// the identity is enrolled already
    IdentityEnrolled = 313, Conflict, help: "the patient signs in with her card; nothing is to be done",
        page: "Told to the centre's operator only. The patient sees the neutral text of AC0310.";
    /// the registration centre asks for a desk code
    DeskCodeNeeded = 320, Refused, help: "go to its desk: an officer checks who you are and gives you a code",
        page: "The centre enrols nobody whom it did not see, and recovers nobody without its desk. A code counts once, for one person and one purpose, and for 24 hours.";
    /// the registrations do not fit the offer
    RegistrationsFalse = 322, Refused, help: "begin again with this version of the terminal",
        page: "The centre takes only the AIDs, sealed identities and commitments of its own offer, with proofs of possession of all keys, and consents by the right key where an identity is replaced. After five false consents a desk code is spent.";
    /// the evaluator does not take this deal
    DealRefused = 330, Refused, help: "apply again: the registration centre deals anew",
        page: "A member takes a share only from the registration centre, sealed under its own key of the present epoch, with a list of evaluators that fits together, and each handle once.";
    /// this evaluator has no room for another handle
    EvaluatorFull = 331, NoQuorum, help: "tell the member's operator",
        page: "A member evaluates for at most 100,000 handles, one for each card that was not changed or lost since.";
    /// the evaluator does not answer this request
    EvaluationRefused = 332, Refused, help: "check that card and device belong together; the member's desk can look up the support code",
        page: "The text is the same whatever the reason, so that nobody learns from it whether a handle exists.";
    /// the registration centre's offer does not check
    OfferFalse = 340, NotVerified, help: "stop, and tell the registration centre: nothing was signed",
        page: "The terminal computes from what was typed what the centre must answer, and checks who is to guard the password. The centre answered something else: a commitment to another identity, members that are not of this ledger, or fewer than it takes.";
    /// not every member took its part of the enrolment
    EnrolmentIncomplete = 341, NoQuorum, help: "run the same command again when the named member is up; nothing was changed",
        page: "A new lock is guarded by all members, so that later most of them suffice. Each has to take its share and to answer once before anything is registered; one did not.";
    /// the ledger holds another registration than this terminal made
    NotAsApplied = 342, NotVerified, help: "do not use this card; show the message to another member of the consortium",
        page: "The terminal compares each committed record with what it made and what the registration centre answered. A difference means that the centre put something else on the ledger.";
    /// the registration centre no longer knows this enrolment
    EnrolmentLapsed = 343, NotFound, help: "run the command again: it begins anew",
        page: "The centre keeps an offer for ten minutes. It was not accepted in that time, so nothing was registered, and what this terminal had kept of it was removed.";
    /// an enrolment of this profile is not finished
    EnrolmentUnfinished = 344, Conflict, help: "finish it with the command that the message names",
        page: "What was begun is kept beside the card until the ledger has it. Another change of the same card has to wait for that, since one of the two would be lost.";
    /// that is not a recovery code
    BadRecoveryCode = 345, Usage, help: "compare it with the paper: six groups of letters and digits, the last symbol is a check",
        page: "A recovery code and a code from the desk have 27 symbols beside hyphens and spaces. Case does not matter; O is read as 0, I and L as 1. The message names the place, never the symbol.";
    /// the two passwords differ
    PasswordsDiffer = 346, Usage, help: "type the same password twice",
        page: "A new password is asked for twice on the terminal, because nobody could open a card whose password was mistyped.";
    /// the registration centre has no row for this person
    NoSuchPatient = 350, NotFound, help: "check the ID or the AID, and that this is the home of the registration centre",
        page: "Only the registration centre knows who stands behind an AID, and only as long as it was not shredded. Told at its desk, never to a patient.";
    /// no open recovery has this AID
    NoRecovery = 351, NotFound, help: "see what waits at the registration centre: aidchain desk waiting",
        page: "A recovery is open from the request of the centre's officer until it is finished, cancelled by the patient's old key or the centre, or lapsed after seven days.";
    /// no disclosure has this number
    NoSuchDisclosure = 352, NotFound, help: "see what waits: aidchain desk waiting",
        page: "Each request to know who an AID is has a number on the ledger, counted from 0.";
    /// this disclosure is not approved
    NotApproved = 353, Refused, help: "ask another member to approve it: aidchain desk disclose approve",
        page: "The centre says who an AID is only with a certified entry that another member approved within 24 hours. The patient sees the entry in her history.";
    /// the open recoveries are not one patient's
    RecoveriesMixed = 354, Refused, help: "pass the list of the registration centre: aidchain desk waiting --json > list.json",
        page: "One patient's recovery is sixteen requests. Where more or fewer were asked for at one time by one officer, only the centre knows which belong together.";
    /// there is no card for this profile
    CardMissing = 401, NotFound, help: "register first: aidchain patient register --profile NAME",
        page: "A card is made at registration and kept in the user's data folder. The message names the place that was looked at.";
    /// the card is damaged
    CardDamaged = 402, BadConfiguration, help: "use your copy of the card, or ask the registration centre",
        page: "The card's form or version is not one that this program writes.";
    /// other users of this machine can read the card
    CardTooOpen = 403, BadConfiguration, help: "chmod 600 FILE",
        page: "A card belongs to its owner alone (mode 0600); the message names the file.";
    /// the card belongs to another ledger
    CardOfOtherLedger = 404, BadConfiguration, help: "pass the genesis file of the card's ledger with --genesis",
        page: "Cards are bound to one chain and to its kind. The message shows both chain ids.";
    /// no member of this ledger has that name
    NoSuchServer = 405, NotFound, help: "`aidchain ledger status` lists the members",
        page: "Servers are named as in the genesis file, in lower case: rc, clinic-a and so on.";
    /// the secret of this device is missing
    DeviceMissing = 406, BadConfiguration, help: "pass --device FILE, or recover: aidchain patient recover --help",
        page: "A card opens only beside the secret of its device, a file of its own that is never copied with the card. Without it the card is worth nothing.";
    /// the card was damaged or changed, or belongs to another device
    CardOfOtherDevice = 407, BadConfiguration, help: "restore card and device file together, or recover: aidchain patient recover --help",
        page: "The card ends with a tag that only the secret of its device makes. It is checked before anything else is read, and here it does not fit.";
    /// the card is of another suite
    CardOfOtherSuite = 408, Usage, help: "name the suite of the card with --suite, or another --profile",
        page: "A card is used by the suite that made it, and by no other. Each suite keeps other secrets.";
    /// all sixteen identities of this card are in use
    AidsUsedUp = 409, Conflict, help: "aidchain patient renew --profile NAME; look at the old ones first: aidchain patient history",
        page: "Each server sees another of the sixteen anonymous identities, and a sign-in with --fresh uses one up. Renewing registers sixteen new ones.";
    /// the clinic refused the sign-in
    SignInRefused = 420, Refused, help: "check your password, take another capture and try again; the desk can look up the support code",
        page: "The refusal says nothing about its reason, so that nobody can learn from it which part was right.";
    /// the card did not open
    CredentialDidNotOpen = 421, Refused, help: "check your password, clean the sensor and try again",
        page: "The check ran on this terminal and nothing was sent. It is not said whether the password or the capture was wrong: both are needed and they are checked together.";
    /// no identity on the ledger has this AID
    UnknownAid = 422, Refused, help: "check that the patient's registration is on the ledger: aidchain ledger identity",
        page: "Told to the operator only. The AID in the request is not that of a registered patient at the newest certified height.";
    /// the server could not reproduce the secret from the capture
    CaptureMismatch = 423, Refused, help: "let the patient try again with a fresh capture",
        page: "Told to the operator only. The capture in the request is too far from the enrolled one.";
    /// the authenticator in the request did not check
    AuthenticatorMismatch = 424, Refused, help: "let the patient try again; if it repeats, treat it as an attack",
        page: "Told to the operator only. The request was made without the secrets of the card it claims, or was altered on the way.";
    /// the request is not of the form the suite prescribes
    RequestMalformed = 425, Refused, help: "check the version of the patient's terminal",
        page: "Told to the operator only. The message did not decode, or a point in it is not on the curve.";
    /// the request was rejected as too old or too new
    ClockSkew = 430, ClockSkew, help: "set this machine's clock by a time server",
        page: "Requests carry the time and are valid for a short while only. A terminal and a node whose clocks differ by more than that cannot work together.";
    /// the sign-in is accepted but not on the ledger yet
    ResultPending = 431, NoQuorum, help: "wait for the missing members; after two minutes sign in again",
        page: "The clinic accepted the sign-in and queued the result. Signing in again is safe: each sign-in has its own number.";
    /// the clinic's node is behind the ledger that this terminal knows
    NodeBehind = 432, NoQuorum, help: "try again in a few seconds, or sign in at another member",
        page: "The terminal names the newest block that it holds a certificate for. A node that does not have that block yet would judge by an older state: it would refuse who has just enrolled, and accept who has just been revoked. So it waits two seconds for the block, and says this when it does not come.";
    /// the server does not answer for this key epoch
    StaleServerRecord = 433, NoQuorum, help: "try again: the terminal fetches the server's present record first",
        page: "A server publishes a new key for sign-ins every day and erases the old one. The first message was made for a key that this server no longer has, or not yet. The terminal reads the server's record from the ledger again and begins anew; nothing about the patient was read or told.";
    /// the server did not prove its identity
    ServerNotProved = 440, NotVerified, help: "stop, and tell the clinic: somebody may be between you and it",
        page: "The answer did not contain what only the real server could compute.";
    /// too few members answered to open the card
    TooFewEvaluators = 470, NoQuorum, help: "try again when more members are up; the message names who did not answer",
        page: "A password can be tried only with the help of some members of the consortium, so that nobody who finds a card can guess. Fewer than it takes answered.";
    /// too many tries: the members make this card wait
    LockThrottled = 471, Refused, help: "wait as long as the message says, then try again with the right password",
        page: "After five tries that opened nothing each further one waits, first half a minute, then ever longer up to an hour. A try that opens the card clears the count.";
    /// the members answer no more for this card
    LockLocked = 472, Refused, help: "recover at the desk of the registration centre: aidchain patient recover --help",
        page: "After fifty tries without success the members answer no more for this lock. If it was not you who tried, somebody has your card and your device.";
    /// this member publishes no key for sign-ins
    NoServerKey = 473, NotFound, help: "sign in at another member, or ask this one to renew its key",
        page: "The certified state has no usable record of this member for the suite: it never published one, or its key epoch is over.";
    /// it is not known whether the sign-in took
    OutcomeUnknown = 474, NoQuorum, help: "look at the history before you rely on it: aidchain patient history",
        page: "Your terminal signed and sent its statement, and no answer of the clinic came. You are not signed in as far as this terminal knows. The message says what was done about it.";
    /// the history is not complete
    HistoryIncomplete = 475, NotVerified, help: "ask another member with --via NAME, and tell the consortium",
        page: "The certified state counts what happened to an identity. The member showed fewer entries than that, or one that does not check; what it showed is not the whole history.";
    /// a capture or the recovery code is needed
    FactorMissing = 476, Usage, help: "pass --bio FILE or --recovery-code-file FILE",
        page: "A card is opened with its device, the password and a capture of the face, or with the recovery code in the place of the face.";
    /// the receipt is not well-formed
    BadReceipt = 501, NotVerified, help: "ask for the receipt again: a changed or shortened file proves nothing",
        page: "A receipt is one JSON object of a fixed form. Unknown keys, duplicate keys, wrong lengths and upper-case hexadecimal are refused, so that one receipt has one reading.";
    /// the receipt belongs to another ledger
    ReceiptOfOtherLedger = 502, NotVerified, help: "pass the genesis file of the ledger the receipt names with --trust",
        page: "A receipt proves something about one ledger only. The chain id and kind must be those of your genesis file.";
    /// the content is not the content that was certified
    InclusionFails = 503, NotVerified, help: "do not rely on this receipt",
        page: "The path from the content to the certified root does not add up: the content, the path or the header was changed after signing.";
    /// the receipt lacks the signatures of a quorum
    CertificateFails = 504, NotVerified, help: "do not rely on this receipt",
        page: "A receipt needs valid signatures of enough distinct members of the committee at its height, with the keys that your genesis file leads to and no others.";
    /// the receipt is genuine but not the one you asked for
    NotAsExpected = 505, NotVerified, help: "do not accept this receipt for this purpose",
        page: "The receipt is about another patient, server or kind of transaction than the one given with --expect-…. A genuine receipt of somebody else proves nothing about this one.";
    /// the change of the committee is not proved
    EpochProofFails = 506, NotVerified, help: "do not rely on this receipt",
        page: "The committee changed between your genesis file and the receipt, and one of the steps is not signed by the committee before it.";
    /// the receipt is dated in the future
    FutureReceipt = 507, NotVerified, help: "check this machine's clock; if it is right, do not rely on this receipt",
        page: "The certified time lies more than a short while ahead of this machine's clock.";
    /// the transaction in the receipt was refused by its contract
    NotARecord = 508, NotVerified, help: "do not rely on this receipt: it proves a refusal",
        page: "Refused transactions are on the ledger too, with their refusal as the outcome. The receipt is genuine, and it proves that nothing was recorded.";
    /// the node's proof of the ledger's state is not well-formed
    BadExcerpt = 510, NotVerified, help: "ask another member, and tell this one's operator",
        page: "An excerpt of the state is one JSON object of a fixed form with one proof for each entry. This one cannot be read, or says something twice.";
    /// the node's proof of the ledger's state says nothing about what was asked
    ExcerptIncomplete = 511, NotVerified, help: "ask another member, and tell this one's operator",
        page: "What is on the ledger can be proved, and so can what is not. The node proved neither, so it hides something.";
    /// the node's proof of the ledger's state does not check
    StateProofFails = 512, NotVerified, help: "stop, and tell the consortium: the node showed what the ledger does not hold",
        page: "Each entry leads by its hashes to the state root that a quorum signed. One of them does not.";
    /// the node shows an old state of the ledger
    ExcerptStale = 513, NoQuorum, help: "try again in a few seconds, or ask another member",
        page: "This terminal has seen a newer certified block. An older state may lack a revocation, so it is not used.";
    /// not a hash
    NotAHash = 601, Usage, help: "a hash has 64 hexadecimal digits",
        page: "Heights are decimal numbers, hashes have 64 digits of 0-9 and a-f. The message says what is wrong with this one.";
    /// not an AID
    NotAnAid = 602, Usage, help: "copy the whole AID: 62 characters that begin with aid1",
        page: "An AID carries a checksum, so that a typing error is found before anything is asked.";
    /// there is no such block
    NoSuchBlock = 603, NotFound, help: "`aidchain ledger status` shows the newest height",
        page: "Blocks are numbered from 0 without gaps; this one is not certified yet, or no block has that hash.";
    /// there is no such transaction
    NoSuchTransaction = 604, NotFound, help: "check the hash, and that --node belongs to the right ledger",
        page: "No certified block of this ledger holds a transaction with that hash. If it was just submitted it may be on its way.";
    /// there is no such identity
    NoSuchIdentity = 605, NotFound, help: "check the AID, and that --node belongs to the right ledger",
        page: "The state of the ledger at its newest certified height holds no identity with that AID; the node can prove that.";
    /// there is no such sign-in
    NoSuchSession = 606, NotFound, help: "sign in again",
        page: "No result with that session number is on the ledger or on its way.";
    /// not a time
    NotATime = 607, Usage, help: "write a day as 2026-11-01 or a time as 2026-11-01T12:00:00Z",
        page: "Times are in UTC, because an audit must read the same everywhere; the letter Z says so.";
    /// the query is not valid
    BadQuery = 608, Usage, help: "check the parameter that the message names",
        page: "A filter, a page size or a cursor is out of its range. Cursors are valid only for the filter they were given for.";
    /// no open change of the membership has this id
    NoSuchChange = 609, NotFound, help: "see what is proposed: aidchain member list",
        page: "Members vote on proposed changes by their ids. A change is closed when it took effect, when its proposer cancelled it or left, or after a week; the same change may then be proposed again.";
    /// cannot reach the node
    CannotReach = 701, Unreachable, help: "check the address and that the node runs: aidchain devnet status",
        page: "No connection, or it broke off before the answer. If something was being submitted, its state is not known; asking again is safe.";
    /// the node's TLS key is not the one in the genesis file
    WrongPin = 702, NotVerified, help: "check --node; if it is right, stop: somebody may be between you and the node",
        page: "The genesis file pins the key of each member, and a certificate authority has no say. The message shows both fingerprints.";
    /// the node did not answer in time
    TimedOut = 703, NoQuorum, help: "try again: reading and signing in again are safe",
        page: "The connection was there but the answer was not. The node may be overloaded or without a quorum.";
    /// the node's answer cannot be understood
    NodeAnswer = 704, Unreachable, help: "check that the address is that of a node of this version",
        page: "Something answered, but not in the form of this version's interface.";
    /// this node asks for a login
    LoginNeeded = 705, Refused, help: "on the node's machine: aidchain explorer login --role viewer; then pass --token-file FILE",
        page: "The ledger is confidential to its members, so reading it away from the node's own machine needs a token.";
    /// the token is not valid, or not any more
    TokenRefused = 706, Refused, help: "make a new one with: aidchain explorer login",
        page: "Tokens are kept as hashes at the node that made them, and they expire.";
    /// your role may not see this
    RoleNeeded = 707, Refused, help: "ask the node's operator for a token of the role the message names",
        page: "Viewers see blocks and counts, auditors also AIDs and results, operators the state of the node.";
    /// the node has too much to do
    Overloaded = 708, NoQuorum, help: "try again after the time the message names",
        page: "Queues are bounded. A node that cannot take more says so at once and loses nothing it has taken.";
    /// the request is too large
    TooLarge = 709, Usage, help: "send less at once; the message names the limit",
        page: "Every message has a limit, so that nobody can fill a node's memory.";
    /// there is no such address at this node
    NoSuchRoute = 710, NotFound, help: "the interface is described at /v1/openapi.json of the member interface",
        page: "The path or the method is not part of the interface of this listener.";
    /// the node is not ready
    NodeNotReady = 712, NoQuorum, help: "wait for it to catch up; /readyz?verbose names what is missing",
        page: "A node that is starting, catching up or cut off from its peers serves what it knows but takes nothing new.";
    /// a fault inside the node
    NodeBug = 713, Bug, help: "report the support code to the node's operator",
        page: "The node met a situation that its authors thought impossible and answered with this instead of guessing.";
    /// the content type of the request is not the one expected
    BadMediaType = 714, Usage, help: "send suite messages and transactions as application/octet-stream",
        page: "The body's type says how it is to be read, and this address reads one type only.";
    /// the transaction is not well-formed
    BadTransaction = 801, Usage, help: "encode it with this version's library",
        page: "A transaction has exactly one encoding, and these bytes are not one.";
    /// the signature on the transaction does not check
    TransactionSignature = 802, Refused, help: "sign with the key of the author the transaction names",
        page: "The signature is not valid under the key in the transaction, or that key is not its author's.";
    /// the transaction has expired, or is valid for too long
    TransactionExpired = 803, ClockSkew, help: "make it again with valid_until one minute ahead, and check the clock",
        page: "A transaction names the time until which it may be recorded, at most 150 seconds ahead, so that an old one can never come back.";
    /// the transaction is known already
    AlreadyRecorded = 804, Conflict, help: "nothing is to be done: look it up by its hash",
        page: "A transaction and a sign-in are recorded once. Sending them again changes nothing.";
    /// the transaction belongs to another ledger
    OtherChain = 805, Refused, help: "make it again for this ledger's chain id",
        page: "The chain id is part of what is signed, so that a transaction counts on one ledger only.";
    /// this author's share of the queue is used up
    OverShare = 806, NoQuorum, help: "send more slowly",
        page: "No author may take more than a quarter of the queue, so that one busy member cannot silence the others.";
    /// the node's queue is full
    PoolFull = 807, NoQuorum, help: "try again after the time the message names",
        page: "The queue is bounded. Nothing that was accepted is dropped to make room.";
    /// the contract refused the transaction
    ContractRefused = 808, Refused, help: "the message names the reason; the refusal is on the ledger",
        page: "The transaction was ordered and executed, and its contract said no, at every member alike.";
    /// the biometric data set is not there
    NoBiometrics = 901, NotFound, help: "set AIDCHAIN_BIOMETRICS_DIR to its folder",
        page: "The data set is not part of this program and is never fetched by it; its folder is named by you.";
    /// the biometric data set is damaged
    BadBiometrics = 902, BadConfiguration, help: "fetch it again",
        page: "A file of the data set does not have its documented form; the message names the file and the place.";
    /// a published vector is not reproduced
    VectorsDiffer = 903, NotVerified, help: "do not use this build",
        page: "The fuzzy extractor must agree with its published vectors bit by bit.";
    /// the face set shows more errors than allowed
    FacesOutOfBounds = 904, NotVerified, help: "do not use this build",
        page: "More genuine captures were refused, or more strangers accepted, than the published bounds allow.";
}
