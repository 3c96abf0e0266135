//! Reach as one self-contained page: no script, no link to anywhere, readable without colour.

use oc_policy::exec_route::Approval;
use oc_policy::reach::{Caller, Cell, Reach};

const STYLE: &str = "
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 92rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.scroll { overflow-x: auto; border: 1px solid #8886; border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #8884; padding: .25rem .5rem; text-align: center; white-space: nowrap; font-size: .85rem; }
thead th { position: sticky; top: 0; background: Canvas; }
tbody th { text-align: left; font-weight: 600; }
td.shut { color: #8889; }
td.sandbox { background: #3a7d4433; } td.asked { background: #c9a22733; } td.open { background: #c0392b44; font-weight: 600; }
.key span { display: inline-block; padding: .1rem .5rem; border-radius: .25rem; margin-right: .5rem; }
.key .sandbox { background: #3a7d4433; } .key .asked { background: #c9a22733; } .key .open { background: #c0392b44; }
";

/// The page.
pub fn page(reach: &Reach) -> String {
    let mut out = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>OpenClaw: who reaches what</title>\n<style>",
    );
    out.push_str(STYLE);
    out.push_str("</style>\n</head>\n<body>\n<h1>Who reaches what</h1>\n");
    out.push_str(
        "<p>One table an agent: tools down, callers across. A cell says where the tool acts and what stands between. \
         Hover for the door.</p>\n<p class=\"key\"><span class=\"sandbox\">in the sandbox</span>\
         <span class=\"asked\">on a host, a person is asked</span><span class=\"open\">on a host, nobody is asked</span>\
         <span>&middot; shut</span></p>\n",
    );
    for agent in &reach.agents {
        out.push_str(&format!("<h2>Agent {}</h2>\n", escape(agent.as_str())));
        out.push_str(&format!(
            "<div class=\"scroll\"><table data-agent=\"{}\">\n<thead><tr><th>tool</th>",
            escape(agent.as_str())
        ));
        for caller in Caller::ALL {
            out.push_str(&format!("<th scope=\"col\">{}</th>", escape(caller.label())));
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for tool in &reach.tools {
            out.push_str(&format!("<tr data-tool=\"{0}\"><th scope=\"row\">{0}</th>", escape(tool)));
            for caller in Caller::ALL {
                out.push_str(&cell(caller, reach.cell(caller, agent, tool)));
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table></div>\n");
    }
    if !reach.refused.is_empty() {
        out.push_str("<h2>Not judged, counted as shut</h2>\n<ul>\n");
        for note in &reach.refused {
            out.push_str(&format!("<li>{}</li>\n", escape(note)));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn cell(caller: Caller, cell: Option<&Cell>) -> String {
    let who = escape(caller.label());
    let Some(cell) = cell else { return format!("<td data-caller=\"{who}\" class=\"shut\">&middot;</td>") };
    let sandboxed = cell.way.host.word() == "sandbox";
    let class = match (sandboxed, cell.way.approval) {
        (true, _) => "sandbox",
        (false, Approval::None) => "open",
        (false, _) => "asked",
    };
    let approval = match cell.way.approval {
        Approval::None => String::new(),
        other => format!(", {}", other.word()),
    };
    format!(
        "<td data-caller=\"{who}\" class=\"{class}\" title=\"{} ({} door{})\">{}{approval}</td>",
        escape(&cell.way.via),
        cell.doors,
        if cell.doors == 1 { "" } else { "s" },
        cell.way.host.word()
    )
}

/// Text for element content and quoted attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
