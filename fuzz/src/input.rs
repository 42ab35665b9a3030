//! Inputs that are almost right: the form of a sample is kept where a decoder looks at it first.

use serde_json::{Map, Number, Value, json};
use simulator::Dice;

use crate::mutate;

/// What the inputs of a decoder are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Fields, lengths and tags.
    Bytes,
    /// A text.
    Text,
    /// JSON, to be changed as a tree.
    Json,
}

/// The most bytes of an input that follows no sample.
const SHAPELESS: u64 = 700;

/// How deep something is put that should be shallow.
const DEEP: usize = 200;

/// What texts and their readers disagree on.
const WORDS: [&str; 24] = [
    "",
    " ",
    "\n",
    "\0",
    "0",
    "-0",
    "-1",
    "+1",
    "00",
    "1e9",
    "0x",
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740993",
    "\u{feff}",
    "é",
    "\u{1d11e}",
    "%00",
    "../",
    "://",
    "[",
    "]",
    ":",
    ".",
];

/// An input made of a sample and, now and then, of another one.
pub fn of(dice: &mut Dice, form: Form, sample: &[u8], other: &[u8]) -> Vec<u8> {
    if dice.chance(30) {
        return shapeless(dice);
    }
    match form {
        Form::Bytes => mutate::bytes(dice, sample, other),
        Form::Text => text(dice, sample, other),
        Form::Json => tree(dice, sample, other),
    }
}

/// Any bytes.
fn shapeless(dice: &mut Dice) -> Vec<u8> {
    let length = dice.below(SHAPELESS);
    (0..length).map(|_| mutate::any(dice)).collect()
}

/// A text with words put in or in the place of others.
fn text(dice: &mut Dice, sample: &[u8], other: &[u8]) -> Vec<u8> {
    if dice.chance(400) {
        return mutate::bytes(dice, sample, other);
    }
    let mut bytes = sample.to_vec();
    for _ in 0..=dice.below(2) {
        let at = dice.place(bytes.len() + 1);
        let end = at + dice.place(bytes.len().saturating_sub(at).min(4) + 1);
        bytes.splice(at..end, dice.pick(&WORDS).bytes());
    }
    bytes
}

/// JSON with a few of its nodes changed.
fn tree(dice: &mut Dice, sample: &[u8], other: &[u8]) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(sample) else {
        return mutate::bytes(dice, sample, other);
    };
    for _ in 0..=dice.below(3) {
        let depth = dice.below(8);
        let chosen = node(depth, &mut value, dice);
        change(dice, chosen);
    }
    let mut bytes = value.to_string().into_bytes();
    if dice.chance(150) {
        twice(dice, &value, &mut bytes);
    }
    if dice.chance(200) {
        bytes = mutate::bytes(dice, &bytes, other);
    }
    bytes
}

/// Some node, at most so deep.
fn node<'a>(depth: u64, value: &'a mut Value, dice: &mut Dice) -> &'a mut Value {
    let width = match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    };
    if depth == 0 || width == 0 || dice.chance(100) {
        return value;
    }
    let at = dice.place(width);
    let child = match value {
        Value::Array(items) => items.get_mut(at),
        Value::Object(fields) => fields.values_mut().nth(at),
        _ => None,
    };
    match child {
        Some(child) => node(depth - 1, child, dice),
        None => unreachable!("the place was drawn below the width"),
    }
}

/// One change to a node, by what it is.
fn change(dice: &mut Dice, value: &mut Value) {
    if dice.chance(250) {
        *value = stranger(dice);
        return;
    }
    match value {
        Value::String(text) => *text = spoilt(dice, text),
        Value::Number(number) => *number = near(dice, number),
        Value::Array(items) => shuffle(dice, items),
        Value::Object(fields) => rename(dice, fields),
        Value::Null | Value::Bool(_) => *value = stranger(dice),
    }
}

/// A value of another kind.
fn stranger(dice: &mut Dice) -> Value {
    match dice.below(9) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(u64::MAX),
        3 => json!(-1),
        4 => json!(0.5),
        5 => json!([]),
        6 => json!({}),
        7 => (0..DEEP).fold(json!(0), |inner, _| json!([inner])),
        _ => json!("a".repeat(dice.place(5000))),
    }
}

/// A text like this one.
fn spoilt(dice: &mut Dice, text: &str) -> String {
    match dice.below(6) {
        0 => text.to_uppercase(),
        1 => text.chars().skip(1).collect(),
        2 => format!("{text}{text}"),
        3 => format!("{text}{}", dice.pick(&WORDS)),
        4 => dice.pick(&WORDS).to_owned(),
        _ => {
            let bytes = mutate::bytes(dice, text.as_bytes(), b"0f");
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }
}

/// A number beside this one, or at an edge.
fn near(dice: &mut Dice, number: &Number) -> Number {
    let present = number.as_u64().unwrap_or(0);
    let edges = [
        0,
        present.wrapping_add(1),
        present.wrapping_sub(1),
        1 << 53,
        u64::MAX,
        1 << 32,
        65_536,
    ];
    dice.pick(&edges).into()
}

/// A row with an item gone, twice, many times, or in another place.
fn shuffle(dice: &mut Dice, items: &mut Vec<Value>) {
    if items.is_empty() {
        items.push(stranger(dice));
        return;
    }
    let (at, to) = (dice.place(items.len()), dice.place(items.len()));
    match dice.below(4) {
        0 => drop(items.remove(at)),
        1 => items.insert(to, items[at].clone()),
        2 => items.swap(at, to),
        _ => {
            let many = vec![items[at].clone(); dice.place(100)];
            items.extend(many);
        }
    }
}

/// Fields with one gone, under another name, or too many.
fn rename(dice: &mut Dice, fields: &mut Map<String, Value>) {
    let name = fields.keys().nth(dice.place(fields.len())).cloned();
    let taken = name.and_then(|name| Some((fields.shift_remove(&name)?, name)));
    match (taken, dice.below(3)) {
        (Some((value, name)), 0) => drop(fields.insert(format!("{name}x"), value)),
        (Some((value, name)), 1) => {
            fields.insert(name, value);
            fields.insert("note".to_owned(), stranger(dice));
        }
        _ => {}
    }
}

/// One field of the outermost object a second time, in front.
fn twice(dice: &mut Dice, value: &Value, bytes: &mut Vec<u8>) {
    let Some(fields) = value.as_object() else {
        return;
    };
    if let Some((name, field)) = fields.iter().nth(dice.place(fields.len())) {
        let again = format!("{}:{field},", Value::from(name.as_str()));
        bytes.splice(1..1, again.into_bytes());
    }
}
