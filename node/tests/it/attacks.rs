//! The papers' attacks against real nodes, as the command line carries them out.

use serde_json::Value;

use crate::devnet::Devnet;

/// The ids of the attacks of which this holds.
fn those(attacks: &[Value], holds: impl Fn(&Value) -> bool) -> Vec<&str> {
    let attacks = attacks.iter().filter(|attack| holds(attack));
    attacks
        .map(|attack| attack["id"].as_str().unwrap())
        .collect()
}

#[test]
fn seventeen_attacks_succeed_on_real_nodes_two_on_exhibits_and_none_on_aidc1() {
    let devnet = Devnet::up();

    let table = devnet.must(&["research", "attack", "--all", "--devnet", "net"]);

    assert_eq!(table["schema"], "aidchain.attacks/1");
    assert_eq!(table["suite_succeeded"], 17);
    assert_eq!(table["exhibit_succeeded"], 2);
    assert_eq!(table["aidc1_succeeded"], 0);
    let attacks = table["attacks"].as_array().unwrap();
    assert_eq!(attacks.len(), 19);
    assert_eq!(
        those(attacks, |it| it["where"] == "in process"),
        ["a6", "b3"]
    );
    assert_eq!(those(attacks, |it| it["target"] == "exhibit"), ["a6", "b3"]);
}

#[test]
fn one_attack_is_told_step_by_step_by_its_name_or_number() {
    let devnet = Devnet::up();

    let [by_name, by_number] = ["sp-from-the-wire", "a1"]
        .map(|name| devnet.must(&["research", "attack", name, "--devnet", "net"]));

    for told in [&by_name, &by_number] {
        assert_eq!(told["attack"]["succeeds"], true);
        let steps = told["steps"].as_array().unwrap();
        assert_eq!(steps.len(), 3);
        assert!(steps.iter().all(|step| step["done"] == true));
    }
    let sp = |told: &Value| told["steps"][1]["shown"][0]["value"].clone();
    assert_ne!(sp(&by_name), sp(&by_number), "each has a victim of its own");
}

#[test]
fn without_a_running_research_devnet_nobody_is_attacked() {
    let devnet = Devnet::secure("warn");
    let attack = |folder| devnet.run(&["research", "attack", "a1", "--devnet", folder]);

    let (status, secure) = attack("net");
    assert_eq!((status, &secure["code"]), (4, &"AC0304".into()));

    let (status, nowhere) = attack("faces");
    assert_eq!((status, &nowhere["code"]), (6, &"AC0116".into()));
    let help = nowhere["help"].as_str().unwrap();
    assert!(help.contains("aidchain devnet up --research"));

    let (status, unknown) = devnet.run(&["research", "attack", "a9"]);
    assert_eq!((status, &unknown["code"]), (2, &"AC0002".into()));
}
