"""What sources call a disease, a site, a sex and so on. Pure: their words in, ours out; what is not listed is asked."""
