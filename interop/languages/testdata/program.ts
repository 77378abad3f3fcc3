// The same in AssemblyScript: its garbage collector, maps, strings, closures by table.
function checksum(text: string): u32 {
  let h: u32 = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = (h ^ <u32>text.charCodeAt(i)) * 0x01000193;
  return h;
}

class Reading {
  constructor(public name: string, public value: f64) {}
}

export function compute(n: u32): u32 {
  const totals = new Map<string, f64>();
  const all: Reading[] = [];
  for (let i: u32 = 0; i < n; i++) {
    const name = "boiler " + (i % 17).toString();
    totals.set(name, (totals.has(name) ? totals.get(name) : 0) + <f64>i / 7);
    all.push(new Reading(name, totals.get(name)));
  }
  all.sort((a, b) => (a.value < b.value ? 1 : a.value > b.value ? -1 : 0));
  let text = "";
  for (let i = 0; i < all.length; i++) text += all[i].name + ": " + all[i].value.toString() + ";";
  return checksum(text);
}

function deeper(n: u32): u32 {
  return n ? (deeper(n - 1) >> 1) ^ n : 1;
}

export function recurse(n: u32): u32 {
  return deeper(n);
}

export function spin(n: u32): u32 {
  let x = n;
  while (true) x = x * 5 + 1;
}
