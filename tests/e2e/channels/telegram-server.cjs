// Runs telegram-test-api and does what the test says: one JSON command a line on standard input, one JSON answer a line on standard output.
// Arguments: the folder with node_modules, the port, the bot's token.
const [, , dir, port, token] = process.argv;
const Server = require(`${dir}/node_modules/telegram-test-api`);
const readline = require('readline');

(async () => {
  const server = new Server({ port: Number(port), host: '127.0.0.1', storage: 'RAM', storeTimeout: 120 });
  await server.start();
  const user = server.getClient(token, { userId: 111, chatId: 111, firstName: 'Alice', userName: 'alice', timeout: 10000, interval: 50 });
  console.log(JSON.stringify({ ready: true }));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    let answer;
    if (command.say) answer = await user.sendMessage(user.makeMessage(command.say, command.options));
    else if (command.press) answer = await user.sendCallback(user.makeCallbackQuery(command.press));
    else answer = await user.getUpdates();
    console.log(JSON.stringify(answer));
  }
  await server.stop();
  process.exit(0);
})();
