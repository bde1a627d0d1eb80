"""The first plug-in: Call of Duty weapon data from CODArmory, WZStats and CODMunity."""
