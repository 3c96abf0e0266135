//! Reach as text: one block an agent, one line a caller, at most 80 columns.

use oc_policy::exec_route::{Approval, Host};
use oc_policy::reach::{Caller, Cell, Reach};

/// Width of a line.
const WIDTH: usize = 80;
/// Columns before the list of tools.
const INDENT: usize = 18;

/// The text.
pub fn text(reach: &Reach) -> String {
    let mut out = String::new();
    for agent in &reach.agents {
        out.push_str(&format!("agent {agent}\n"));
        for caller in Caller::ALL {
            let cells: Vec<&Cell> =
                reach.cells.iter().filter(|c| c.agent == *agent && c.caller == caller).collect();
            out.push_str(&line(caller.label(), &cells));
        }
        out.push('\n');
    }
    out.push_str("A tool name stands alone when it acts on the gateway host without a question;\n");
    out.push_str("[sandbox], [node], [prompt] say where else; (on-miss), (always), (listed-only)\n");
    out.push_str("what stands between. \"nothing\" means no door is open.\n");
    out
}

fn line(label: &str, cells: &[&Cell]) -> String {
    if cells.is_empty() {
        return format!("  {label:<15} nothing\n");
    }
    let mut lines = Vec::new();
    let mut current = format!("  {label:<15} ");
    for cell in cells {
        let word = describe(cell);
        if current.len() > INDENT && current.len() + word.len() > WIDTH {
            lines.push(std::mem::replace(&mut current, " ".repeat(INDENT)));
        }
        current.push_str(&word);
        current.push(' ');
    }
    lines.push(current);
    let mut out = String::new();
    for l in lines {
        out.push_str(l.trim_end());
        out.push('\n');
    }
    out
}

/// `exec[sandbox](always)`.
fn describe(cell: &Cell) -> String {
    let host =
        if cell.way.host == Host::Gateway { String::new() } else { format!("[{}]", cell.way.host.word()) };
    let approval = if cell.way.approval == Approval::None {
        String::new()
    } else {
        format!("({})", cell.way.approval.word())
    };
    format!("{}{host}{approval}", cell.tool)
}
