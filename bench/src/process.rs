//! What Linux says about a running process.

use std::fs;

/// Processor time of a process in seconds, user and system.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    ticks(&stat).unwrap_or_default() / ticks_per_second()
}

/// Clock ticks of user and system time in a `stat` line: fields 14 and 15, counted behind the
/// program's name, which may hold blanks and brackets.
fn ticks(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Ticks in one second.
fn ticks_per_second() -> f64 {
    let ticks = rustix::param::clock_ticks_per_second();
    f64::from(u32::try_from(ticks).unwrap_or(100))
}

/// Largest resident size so far, in MB.
pub fn peak_memory_mb(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    number_after(&status, "VmHWM:").unwrap_or_default() * 1024.0 / 1e6
}

/// Bytes that the process caused to be written to disk.
pub fn written_bytes(pid: u32) -> f64 {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    number_after(&io, "\nwrite_bytes:").unwrap_or_default()
}

/// The number behind a label.
fn number_after(text: &str, label: &str) -> Option<f64> {
    let (_, rest) = text.split_once(label)?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_brackets_does_not_shift_the_fields() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20";

        assert_eq!(ticks(stat), Some(300.0));
    }

    #[test]
    fn a_labelled_number_is_read() {
        assert_eq!(
            number_after("VmPeak: 9 kB\nVmHWM:\t  12 kB\n", "VmHWM:"),
            Some(12.0)
        );
    }

    #[test]
    fn this_very_process_uses_memory() {
        assert!(peak_memory_mb(std::process::id()) > 1.0);
    }
}
