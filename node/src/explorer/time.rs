//! Dates from milliseconds, without a clock: what the pages, exports and certificates write.

/// Milliseconds of a day.
pub const DAY_MS: u64 = 86_400_000;

/// A moment broken into the fields of the Gregorian calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Civil {
    /// Year, month, day.
    date: (u64, u64, u64),
    /// Hour, minute, second, millisecond.
    clock: (u64, u64, u64, u64),
}

impl Civil {
    /// The fields of `ms` since 1970 (days-to-date after the proleptic Gregorian 400-year cycle).
    fn of(ms: u64) -> Self {
        // No date after the year 9999 is ever written; a hostile number ends there.
        let ms = ms.min(253_402_300_799_999);
        let days = ms.div_euclid(DAY_MS).saturating_add(719_468);
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let leaps = of_era
            .div_euclid(1_460)
            .saturating_sub(of_era.div_euclid(36_524))
            .saturating_add(of_era.div_euclid(146_096));
        let year_of_era = of_era.saturating_sub(leaps).div_euclid(365);
        let before = year_of_era
            .saturating_mul(365)
            .saturating_add(year_of_era.div_euclid(4))
            .saturating_sub(year_of_era.div_euclid(100));
        let of_year = of_era.saturating_sub(before);
        let march_month = of_year.saturating_mul(5).saturating_add(2).div_euclid(153);
        let passed = march_month
            .saturating_mul(153)
            .saturating_add(2)
            .div_euclid(5);
        let day = of_year.saturating_sub(passed).saturating_add(1);
        let month = if march_month < 10 {
            march_month.saturating_add(3)
        } else {
            march_month.saturating_sub(9)
        };
        let year = era
            .saturating_mul(400)
            .saturating_add(year_of_era)
            .saturating_add(u64::from(month <= 2));
        let rest = ms.rem_euclid(DAY_MS);
        Self {
            date: (year, month, day),
            clock: (
                rest.div_euclid(3_600_000),
                rest.div_euclid(60_000).rem_euclid(60),
                rest.div_euclid(1_000).rem_euclid(60),
                rest.rem_euclid(1_000),
            ),
        }
    }
}

/// `2026-11-22T00:01:42.000Z`.
pub fn rfc3339(ms: u64) -> String {
    let Civil {
        date: (year, month, day),
        clock: (hour, minute, second, milli),
    } = Civil::of(ms);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// `2026-11-22 00:01:42 UTC`.
pub fn readable(ms: u64) -> String {
    let Civil {
        date: (year, month, day),
        clock: (hour, minute, second, _),
    } = Civil::of(ms);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// `2026-11-22`.
pub fn day(ms: u64) -> String {
    let Civil {
        date: (year, month, day),
        ..
    } = Civil::of(ms);
    format!("{year:04}-{month:02}-{day:02}")
}

/// How long ago, in the largest unit that fits.
pub fn age(now_ms: u64, then_ms: u64) -> String {
    let seconds = now_ms.saturating_sub(then_ms).div_euclid(1_000);
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7_200 => format!("{} min ago", seconds.div_euclid(60)),
        7_200..172_800 => format!("{} h ago", seconds.div_euclid(3_600)),
        _ => format!("{} days ago", seconds.div_euclid(86_400)),
    }
}

/// Reads `2026-11-22` or a whole RFC 3339 moment in UTC; nothing else.
pub fn parse(text: &str) -> Option<u64> {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, clock.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(whole, ':', [2, 2, 2])?;
    let milli = milliseconds(fraction)?;
    let valid =
        (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !valid || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let ms = days_before(year, month, day)?
        .checked_mul(DAY_MS)?
        .checked_add(hour.checked_mul(3_600_000)?)?
        .checked_add(minute.checked_mul(60_000)?)?
        .checked_add(second.checked_mul(1_000)?)?
        .checked_add(milli)?;
    // A day that the month does not have comes back as another date.
    (Civil::of(ms).date == (year, month, day)).then_some(ms)
}

/// Three numbers with this between them, each with so many digits.
fn numbers(text: &str, between: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(between);
    let mut numbers = [0; 3];
    for (number, width) in numbers.iter_mut().zip(widths) {
        *number = digits(parts.next().filter(|part| part.len() == width)?)?;
    }
    parts.next().is_none().then_some(numbers)
}

/// Tenths, hundredths or thousandths of a second.
fn milliseconds(fraction: &str) -> Option<u64> {
    let unit = match fraction.len() {
        1 => 100,
        2 => 10,
        3 => 1,
        _ => return None,
    };
    digits(fraction)?.checked_mul(unit)
}

/// Decimal digits and nothing else.
fn digits(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Days from 1970 to a date.
fn days_before(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let march_month = if month > 2 {
        month.checked_sub(3)?
    } else {
        month.checked_add(9)?
    };
    let of_year = march_month
        .checked_mul(153)?
        .checked_add(2)?
        .div_euclid(5)
        .checked_add(day)?
        .checked_sub(1)?;
    let year_of_era = year.rem_euclid(400);
    let of_era = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era.div_euclid(4))?
        .checked_sub(year_of_era.div_euclid(100))?
        .checked_add(of_year)?;
    year.div_euclid(400)
        .checked_mul(146_097)?
        .checked_add(of_era)?
        .checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_written_as_every_other_program_writes_them() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_827_696_789), "2000-02-29T12:34:56.789Z");
        assert_eq!(readable(1_795_305_702_000), "2026-11-22 00:01:42 UTC");
        assert_eq!(day(4_107_542_400_000), "2100-03-01");
        assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn what_is_written_is_read_back() {
        for ms in [0, 951_827_696_789, 1_795_305_702_001, 4_107_455_999_999] {
            assert_eq!(parse(&rfc3339(ms)), Some(ms));
        }
        assert_eq!(parse("2026-11-22"), Some(1_795_305_600_000));
        for (fraction, ms) in [
            (".5", 500),
            (".05", 50),
            (".005", 5),
            (".500", 500),
            ("", 0),
        ] {
            let text = format!("1970-01-01T00:00:00{fraction}Z");
            assert_eq!(parse(&text), Some(ms), "{text}");
        }
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused() {
        for wrong in [
            "2026-02-29",
            "2026-13-01",
            "2026-1-",
            "2026-1-22",
            "2026-011-22",
            "2026-11-22T1:00:00Z",
            "2026-11-22T00:00:00.Z",
            "2026-11-22T00:00:00.0005Z",
            "2026-11-22T24:00:00Z",
            "now",
            "2026-11-22T00:00:00",
            "",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ages_grow_by_unit() {
        assert_eq!(age(119_000, 0), "119 s ago");
        assert_eq!(age(120_000, 0), "2 min ago");
        assert_eq!(age(0, 5_000), "0 s ago");
        assert_eq!(age(3 * DAY_MS, 0), "3 days ago");
    }
}
