export const name = "built";
