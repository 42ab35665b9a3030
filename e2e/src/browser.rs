//! The explorer and the verifier page in a real Chromium.

mod axe;
mod explorer;
mod pages;
mod vectors;
mod verify;
mod world;

use crate::claims::{Broken, Claims};
use crate::tools::has;
use crate::webdriver::{Browser, Driver};
use world::World;

/// All claims about what people see.
pub(crate) fn run(claims: &mut Claims) -> Result<(), Broken> {
    if !has("chromium") || !has("chromedriver") {
        return Err(
            "chromium and chromedriver must be installed (Debian: chromium chromium-driver)".into(),
        );
    }
    let driver = Driver::start()?;
    let mut browser = Browser::open(&driver)?;
    vectors::claims(claims, &mut browser)?;
    let mut world = World::start()?;
    explorer::empty(claims, &mut browser, &world);
    world.populate()?;
    explorer::claims(claims, &mut browser, &world);
    pages::claims(claims, &mut browser, &world)?;
    verify::claims(claims, &mut browser, &world);
    explorer::without_quorum(claims, &mut browser, &mut world);
    Ok(())
}
