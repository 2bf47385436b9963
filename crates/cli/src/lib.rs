//! Commands and printing: the library behind the program `argosy`. No rule about workflows is decided here.

pub mod print;
