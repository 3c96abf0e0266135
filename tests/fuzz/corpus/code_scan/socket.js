new WebSocket('ws://h:443');
new WebSocket('wss://h:9999/x')