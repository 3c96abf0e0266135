use super::check;

#[track_caller]
fn passes(programs: &[&str]) {
    for program in programs {
        assert_eq!(check(program), Ok(()), "{program}");
    }
}

#[track_caller]
fn asks(programs: &[&str]) {
    for program in programs {
        assert_eq!(check(program).expect_err(program).word, "operand");
    }
}

#[test]
fn sp_143_programs_that_only_compute_and_print() {
    passes(&[
        "{print $1}",
        "NR==2",
        "$3 > 100",
        "{s+=$3} END{print s}",
        "NR>1 && $3>=50 {print $1, $2}",
        "/ERROR/",
        "BEGIN{print 1+1}",
        "{print length($0)}",
        "NR==n",
        "{a[$1]++} END{for(k in a) print k, a[k]}",
        "{printf \"%-10s %s\\n\", $1, $2}",
        "{print ($3 > 100 ? \"hi\" : \"lo\")}",
        "{gsub(/a/,\"b\"); print}",
        "NF",
        "!seen[$0]++",
        "1",
        "",
        "{print (a+b)/2, $1/2, x[1]/2}",
        "BEGIN{FS=\",\"}{print $NF}",
        "/a/,/b/",
        "/a\\/b/ || !/c/ {next} {print}",
        "$1 ~ /^[a-z]+$/ && $2 !~ /x|y/",
        "function f(a,b){return a>b} {print f($1,$2)}",
        "{print substr($0, index($0,$3))}",
        "{ if ($1 > 2) print $2; else print $3 }",
        "{ while (i < 3) { i++; print i } }",
        "{ do { x-- } while (x > 0) }",
        "END { print NR }",
        "# only a comment system(\"id\")",
        "{print \"system(\\\"id\\\") | > >> getline\"}",
        "/system|getline > x/",
        "{x = $1 > 2; print x}",
        "{print(1>2)}",
        "{print} $2 > 5",
        "{print $1; y = a > b}",
        "{ $2 = \"\"; print }",
        "{print toupper(substr($1,1,1)) tolower(substr($1,2))}",
        "{sum += $1 / 2}",
        "{ x /= 2 }",
        "BEGIN { printf(\"%d\\n\", 3) }",
        "length > 80",
        "length($0) > 80",
        "$0 ~ /=/",
        "(NR % 2) == 0",
        "NR % 2",
        "{ delete a; n = split($0, a, /, */); for (i = n; i > 0; i--) print a[i] }",
        "BEGIN { OFS = \"\\t\" } { $1 = $1 } 1",
        "{ print $1, -$2, +$3, !$4, 1e3, .5, 1.5e-3 }",
        "{ print a[1, 2]; if ((1, 2) in a) print }",
        "{print $1 \" \" $2}\nEND{print NR}",
        "/a/ { c++ } ; /b/ { d++ }",
        "{ exit } END { exit 1 }",
        "{a=b?c:d}",
        "{print a?/x/:/y/}",
    ]);
}

#[test]
fn sp_143_programs_that_run_read_or_write() {
    asks(&[
        "BEGIN{system(\"id\")}",
        "BEGIN { system ( \"id\" ) }",
        "{print | \"sh\"}",
        "{ print $0 | \"cat 1>&2\" }",
        "BEGIN{\"id\"|getline x}",
        "BEGIN{while((\"id\"|getline l)>0)print l}",
        "BEGIN{s=\"/inet/tcp/0/h/80\"; s|&getline x}",
        "BEGIN{f=\"system\";@f(\"id\")}",
        "{print > \"out\"}",
        "{print >> \"out\"}",
        "{printf \"%s\\n\",$1 > (\"o\" \"ut\")}",
        "NR>1{print $1>\"/etc/x\"}",
        "@include \"x\"",
        "@load \"filefuncs\"; BEGIN{}",
        "BEGIN{for(k in ENVIRON)print k,ENVIRON[k]}",
        "BEGIN{while((getline l < \"/etc/shadow\")>0)print l}",
        "BEGIN{ARGV[1]=\"/etc/shadow\";ARGC=2}{print}",
        "BEGIN{SYMTAB[\"x\"]=1}",
        "{getline; print}",
        "{print >$1}",
        "{print>x}",
        "{print (1)>\"x\"}",
        "{print(1) > \"x\"}",
        "{print a[1>2]}",
        "{print a, b > \"x\"; }",
        "{if(1)print > \"x\"}",
        "{print;print >\"x\"}",
        "{close(\"x\")}",
        "{fflush(\"sh\")}",
        "awk::system(\"id\")",
        "{print PROCINFO[\"pid\"]}",
        "{extension(\"x\",\"y\")}",
        "{foo(1)}",
        "@namespace \"x\"",
        "{print @/x/}",
        "{x=1system(\"id\")}",
        "{x=1esystem(\"id\")}",
        "{x=0xsystem(\"id\")}",
        "{x=1.system(\"id\")}",
        "function f(x){system(x)} {f($0)}",
        "func f(x){return x}",
        "{print \"a\" \"b\" > \"c\"}",
        "{print $(1>2) > \"c\"}",
        "{print a\n}{print > \"x\"}",
        "{ print a ? b > \"x\" : c }",
        "BEGIN{print 1 > \"/dev/stdout\"}",
        "{printf(\"x\") >\"y\"}",
        "BEGIN { if (!(\"x\" in a)) \"id\" | getline b }",
        "{print | cmd}",
        "1|2",
        "BEGIN{print |& \"x\"}",
        "{print -1 > -1}",
        "{print > 0 ? 1 : 2}",
        "a::b = 1",
        "BEGIN{printf \"x\" >\"/dev/stderr\"}",
        "{ print \\\n> \"x\" }",
    ]);
}

#[test]
fn sp_143_slashes_and_quotes_that_implementations_read_differently() {
    asks(&[
        "{x++ /a\"/; system(\"id\") #\"/}",
        "{if(1) /\"/; system(\"id\") #\"/}",
        "length /\"/; system(\"id\") #\"/",
        "{while(0) /a/}",
        "{for(;;) /a/}",
        "/[/]\"/{system(\"id\")} #\"/",
        "/[/]/",
        "/a",
        "/a\n/",
        "\"a",
        "\"a\nb\"",
        "{print \"a\\\"}",
        "/[]/\"]/{system(\"x\")}",
        "a in /x/",
        "x = /re/",
        "{print 'a'}",
        "{",
        "}",
        "{print (1}",
        "{print a[1}",
        "(",
        "BEGIN{print \\\"x\\\"}",
        "{print é}",
        "BEGIN{x=`id`}",
        "{print $1}; # \\\n{print}",
        "x -- / 2",
        "f(x) / 1; function f(x) { }  /[/",
        "{else /a/}",
        "{print(}",
        "{print)}",
        "print",
        "1 { print ( { ) }",
        "{a&b}",
        "{a|b}",
        "{a@b}",
        "{if((1)) /\"/ }",
        "{ if (x[1]) /a/ }",
        "getline /x/",
        "{(print 1)}",
        "0x1F",
        "1..2",
        "\u{a0}1",
        "{print;}\r",
        "{ print /a/ /\"/ }",
    ]);
}

#[test]
fn sp_143_division_after_what_surely_ends_a_value() {
    passes(&[
        "{print (a) / 2 / 3}",
        "{print a[1] / b}",
        "{print 4 /2}",
        "{print \"4\" / 2}",
        "{if ((a) / 2 > 1) print}",
        "{if (f) print (x) / 2}",
    ]);
}

#[test]
fn the_lists_are_sorted() {
    use super::{FUNCTIONS, KEYWORDS, REFUSED};
    assert!(KEYWORDS.is_sorted() && FUNCTIONS.is_sorted() && REFUSED.is_sorted());
}
