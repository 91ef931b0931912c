// Walks with npm's net-snmp, which loads the module: walk.js PORT COMMUNITY ROOT MODULE...
// A line an object: OID and name.
"use strict";
const snmp = require("net-snmp");

const [port, community, root, ...modules] = process.argv.slice(2);
const store = snmp.createModuleStore();
modules.forEach((file) => store.loadFromFile(file));
const names = {};
for (const [name, object] of Object.entries(store.getModule("TCP-RESET-MIB", true))) {
    if (object && object.OID) names[object.OID] = name;
}
const session = snmp.createSession("127.0.0.1", community, {
    port: Number(port), version: snmp.Version2c });

function take(varbinds) {
    for (const varbind of varbinds) {
        if (snmp.isVarbindError(varbind)) throw new Error(snmp.varbindError(varbind));
        console.log(varbind.oid, nameOf(varbind.oid));
    }
}

// Of the object that it is an instance of: what the store knows are objects.
function nameOf(oid) {
    for (let object = oid; object !== root; object = object.replace(/[.][0-9]+$/, "")) {
        if (names[object]) return names[object];
    }
    throw new Error(`${oid} has no name`);
}

session.subtree(root, 20, take, (error) => {
    session.close();
    if (error) throw error;
});
